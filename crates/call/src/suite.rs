//! What every engine has to pass.
