//! Builds the stand-in libraries for tests.
