//! The library's one function for everything, typed.

use std::{
    ffi::c_void,
    ptr::{self, NonNull},
    sync::{Arc, Mutex, PoisonError},
};

use agora_sys::iris::iris_param;

use super::{
    IrisError,
    answer::{self, ANSWER_BYTES, method_of},
    handler::EventHandler,
    library::{Library, Occupation},
    requests::Request,
};

/// An engine in the library. It is destroyed when this is dropped, so no call can come after that.
///
/// Calls may come from any thread; one lock lets them through one at a time. Callbacks never call (they only copy and
/// leave), so a call that waits for one cannot wait for itself.
pub struct Api {
    handle: NonNull<c_void>,
    /// The lock of every call, and the buffer that the library writes answers into.
    answer: Mutex<Box<[u8]>>,
    occupation: Occupation,
}

// SAFETY: the handle is used under the lock of `answer` only (and in `drop`, when nobody else has it); Iris's other
// bindings call it from threads of their choice (FACTS B2), so it is bound to none.
unsafe impl Send for Api {}
// SAFETY: as above: the lock lets one thread at a time use the handle.
unsafe impl Sync for Api {}

/// What a call carries beside its JSON.
pub enum Attachment<'a> {
    /// Read by the library during the call. Empty ones are given as null.
    Bytes(&'a [u8]),
    /// Written by the library during the call.
    Space(&'a mut [u8]),
    /// Where events are to go (or no longer to go).
    Handler(&'a EventHandler),
}

impl Api {
    /// Makes the engine of this copy of the library, and lets lists come as JSON arrays.
    ///
    /// # Errors
    /// [`IrisError::InUse`] while another one lives in the same copy, [`IrisError::NotMade`].
    pub fn create(library: &Arc<Library>) -> Result<Self, IrisError> {
        let occupation = Library::occupy(library).ok_or(IrisError::InUse)?;
        let iris = occupation.iris();
        // SAFETY: a null engine means that Iris makes its own (FACTS B2).
        let handle = unsafe { iris.CreateIrisApiEngine(ptr::null_mut()) };
        let handle = NonNull::new(handle).ok_or(IrisError::NotMade("engine"))?;
        // SAFETY: takes a plain number; called once right after creation, as the other bindings do (FACTS B2).
        unsafe { iris.enableUseJsonArray(1) };
        Ok(Self { handle, answer: Mutex::new(vec![0; ANSWER_BYTES].into_boxed_slice()), occupation })
    }

    /// The library in which this engine lives.
    pub fn library(&self) -> &Arc<Library> {
        self.occupation.library()
    }

    /// Calls a method.
    ///
    /// # Errors
    /// One for each way in which it can fail, see [`IrisError`].
    pub fn call<R: Request>(&self, request: &R) -> Result<R::Answer, IrisError> {
        self.call_with(request, &mut [])
    }

    /// Calls a method that takes something beside its JSON.
    ///
    /// # Errors
    /// As [`Api::call`].
    pub fn call_with<R: Request>(
        &self,
        request: &R,
        attachments: &mut [Attachment<'_>],
    ) -> Result<R::Answer, IrisError> {
        let method = method_of::<R>();
        let mut data = serde_json::to_vec(request).map_err(|source| IrisError::Unwritable { method, source })?;
        let too_long = |_| IrisError::TooLong { method };
        let data_size = u32::try_from(data.len()).map_err(too_long)?;
        // JSON writes a zero as \u0000, so this one is the first.
        data.push(0);
        let mut pointers = Vec::with_capacity(attachments.len());
        let mut lengths = Vec::with_capacity(attachments.len());
        for attachment in attachments {
            let (pointer, length) = attachment.raw();
            pointers.push(pointer);
            lengths.push(u32::try_from(length).map_err(too_long)?);
        }
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer::clear(&mut answer);
        let mut param = iris_param {
            event: R::id().as_ptr(),
            data: data.as_ptr().cast(),
            data_size,
            result: answer.as_mut_ptr().cast(),
            buffer: pointers.as_mut_ptr(),
            length: lengths.as_mut_ptr(),
            // Not more than what fits: attachments are a handful.
            buffer_count: u32::try_from(pointers.len()).map_err(too_long)?,
        };
        // SAFETY: the handle lives as long as `self`; all that `param` points to lives until the call has returned, the
        // strings end with a zero, and the answer has the 65,536 bytes that a call needs (FACTS B2, `ApiParam`).
        let transport = unsafe { self.occupation.iris().CallIrisApi(self.handle.as_ptr(), &mut param) };
        answer::read::<R>(transport, &answer)
    }
}

impl Attachment<'_> {
    fn raw(&mut self) -> (*mut c_void, usize) {
        match self {
            Self::Bytes([]) => (ptr::null_mut(), 0),
            // The library only reads what these methods push (FACTS B2, "Buffers").
            Self::Bytes(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
            Self::Space(space) => (space.as_mut_ptr().cast(), space.len()),
            Self::Handler(handler) => (handler.as_ptr(), size_of::<*mut c_void>()),
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        // SAFETY: the handle came from `CreateIrisApiEngine` and is destroyed here only; `&mut self` says that no call
        // is under way.
        unsafe { self.occupation.iris().DestroyIrisApiEngine(self.handle.as_ptr()) };
    }
}
