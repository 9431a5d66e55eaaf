//! Raw bindings of the part of Agora's native C interfaces that Parley uses, loaded at run time.
