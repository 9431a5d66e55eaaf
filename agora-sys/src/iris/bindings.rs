// Made from include/iris.h by `cargo xtask bindings`; not edited by hand.

#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct iris_param {
    pub event: *const ::core::ffi::c_char,
    pub data: *const ::core::ffi::c_char,
    pub data_size: u32,
    pub result: *mut ::core::ffi::c_char,
    pub buffer: *mut *mut ::core::ffi::c_void,
    pub length: *mut u32,
    pub buffer_count: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of iris_param"][::core::mem::size_of::<iris_param>() - 56usize];
    ["Alignment of iris_param"][::core::mem::align_of::<iris_param>() - 8usize];
    ["Offset of field: iris_param::event"][::core::mem::offset_of!(iris_param, event) - 0usize];
    ["Offset of field: iris_param::data"][::core::mem::offset_of!(iris_param, data) - 8usize];
    ["Offset of field: iris_param::data_size"][::core::mem::offset_of!(iris_param, data_size) - 16usize];
    ["Offset of field: iris_param::result"][::core::mem::offset_of!(iris_param, result) - 24usize];
    ["Offset of field: iris_param::buffer"][::core::mem::offset_of!(iris_param, buffer) - 32usize];
    ["Offset of field: iris_param::length"][::core::mem::offset_of!(iris_param, length) - 40usize];
    ["Offset of field: iris_param::buffer_count"][::core::mem::offset_of!(iris_param, buffer_count) - 48usize];
};
impl Default for iris_param {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct iris_event_handler {
    pub on_event: ::core::option::Option<unsafe extern "C" fn(event: *mut iris_param)>,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of iris_event_handler"][::core::mem::size_of::<iris_event_handler>() - 8usize];
    ["Alignment of iris_event_handler"][::core::mem::align_of::<iris_event_handler>() - 8usize];
    ["Offset of field: iris_event_handler::on_event"][::core::mem::offset_of!(iris_event_handler, on_event) - 0usize];
};
pub struct Iris {
    __library: ::libloading::Library,
    pub CreateIrisApiEngine: Result<
        unsafe extern "C" fn(native_engine: *mut ::core::ffi::c_void) -> *mut ::core::ffi::c_void,
        ::libloading::Error,
    >,
    pub DestroyIrisApiEngine: Result<unsafe extern "C" fn(engine: *mut ::core::ffi::c_void), ::libloading::Error>,
    pub CallIrisApi: Result<
        unsafe extern "C" fn(engine: *mut ::core::ffi::c_void, param: *mut iris_param) -> i32,
        ::libloading::Error,
    >,
    pub CreateIrisEventHandler: Result<
        unsafe extern "C" fn(handler: *const iris_event_handler) -> *mut ::core::ffi::c_void,
        ::libloading::Error,
    >,
    pub DestroyIrisEventHandler: Result<unsafe extern "C" fn(handler: *mut ::core::ffi::c_void), ::libloading::Error>,
    pub enableUseJsonArray: Result<unsafe extern "C" fn(enable: i32), ::libloading::Error>,
    pub InitIrisLogger:
        Result<unsafe extern "C" fn(path: *const ::core::ffi::c_char, max_size: i32, level: i32), ::libloading::Error>,
}
impl Iris {
    pub unsafe fn new<P>(path: P) -> Result<Self, ::libloading::Error>
    where
        P: AsRef<::std::ffi::OsStr>,
    {
        let path = path.as_ref();
        let library = unsafe { ::libloading::Library::new(path) }?;
        unsafe { Self::from_library(library) }
    }
    pub unsafe fn from_library<L>(library: L) -> Result<Self, ::libloading::Error>
    where
        L: Into<::libloading::Library>,
    {
        let __library = library.into();
        let CreateIrisApiEngine = unsafe { __library.get(b"CreateIrisApiEngine\0") }.map(|sym| *sym);
        let DestroyIrisApiEngine = unsafe { __library.get(b"DestroyIrisApiEngine\0") }.map(|sym| *sym);
        let CallIrisApi = unsafe { __library.get(b"CallIrisApi\0") }.map(|sym| *sym);
        let CreateIrisEventHandler = unsafe { __library.get(b"CreateIrisEventHandler\0") }.map(|sym| *sym);
        let DestroyIrisEventHandler = unsafe { __library.get(b"DestroyIrisEventHandler\0") }.map(|sym| *sym);
        let enableUseJsonArray = unsafe { __library.get(b"enableUseJsonArray\0") }.map(|sym| *sym);
        let InitIrisLogger = unsafe { __library.get(b"InitIrisLogger\0") }.map(|sym| *sym);
        Ok(Iris {
            __library,
            CreateIrisApiEngine,
            DestroyIrisApiEngine,
            CallIrisApi,
            CreateIrisEventHandler,
            DestroyIrisEventHandler,
            enableUseJsonArray,
            InitIrisLogger,
        })
    }
    pub unsafe fn CreateIrisApiEngine(&self, native_engine: *mut ::core::ffi::c_void) -> *mut ::core::ffi::c_void {
        unsafe { (self.CreateIrisApiEngine.as_ref().expect("Expected function, got error."))(native_engine) }
    }
    pub unsafe fn DestroyIrisApiEngine(&self, engine: *mut ::core::ffi::c_void) {
        unsafe { (self.DestroyIrisApiEngine.as_ref().expect("Expected function, got error."))(engine) }
    }
    pub unsafe fn CallIrisApi(&self, engine: *mut ::core::ffi::c_void, param: *mut iris_param) -> i32 {
        unsafe { (self.CallIrisApi.as_ref().expect("Expected function, got error."))(engine, param) }
    }
    pub unsafe fn CreateIrisEventHandler(&self, handler: *const iris_event_handler) -> *mut ::core::ffi::c_void {
        unsafe { (self.CreateIrisEventHandler.as_ref().expect("Expected function, got error."))(handler) }
    }
    pub unsafe fn DestroyIrisEventHandler(&self, handler: *mut ::core::ffi::c_void) {
        unsafe { (self.DestroyIrisEventHandler.as_ref().expect("Expected function, got error."))(handler) }
    }
    pub unsafe fn enableUseJsonArray(&self, enable: i32) {
        unsafe { (self.enableUseJsonArray.as_ref().expect("Expected function, got error."))(enable) }
    }
    pub unsafe fn InitIrisLogger(&self, path: *const ::core::ffi::c_char, max_size: i32, level: i32) {
        unsafe { (self.InitIrisLogger.as_ref().expect("Expected function, got error."))(path, max_size, level) }
    }
}
pub const FUNCTIONS: &[&str] = &[
    "CreateIrisApiEngine",
    "DestroyIrisApiEngine",
    "CallIrisApi",
    "CreateIrisEventHandler",
    "DestroyIrisEventHandler",
    "enableUseJsonArray",
    "InitIrisLogger",
];
