//! One event as the library hands it over: borrowed, and valid until the callback returns.

use std::{
    ffi::{CStr, c_void},
    slice,
};

use agora_sys::iris::iris_param;

use super::names::split_event;

/// More buffers than any event has (FACTS B2: five). What lies behind them is not looked at.
const MOST_BUFFERS: usize = 8;

/// An event's name, JSON and buffers.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The observer's class, as `RtcEngineEventHandler`.
    pub class: &'a str,
    /// The callback, as `onUserJoined`.
    pub callback: &'a str,
    /// A JSON object, as far as the library writes one.
    pub data: &'a [u8],
    /// What JSON can't carry; `None` where the library has a null or gives no length.
    pub buffers: [Option<&'a [u8]>; MOST_BUFFERS],
}

impl<'a> Incoming<'a> {
    /// Reads what the library hands over. `None` if it has no name that we understand.
    ///
    /// # Safety
    /// `param` is null or what a callback was given, and `'a` ends before that callback returns: then its strings end
    /// with a zero, and `buffer` and `length` have `buffer_count` elements (FACTS B2, `EventParam`), each of which is null
    /// or has so many bytes.
    pub(super) unsafe fn read(param: *const iris_param) -> Option<Self> {
        // SAFETY: null or valid during the callback, as the caller promises.
        let param = unsafe { param.as_ref() }?;
        // SAFETY: a string of the event, see above.
        let id = unsafe { text(param.event) };
        let (class, callback) = split_event(str::from_utf8(id).ok()?)?;
        // SAFETY: a string of the event, see above.
        let data = unsafe { text(param.data) };
        let mut buffers = [None; MOST_BUFFERS];
        if !param.buffer.is_null() && !param.length.is_null() {
            let count = usize::try_from(param.buffer_count).unwrap_or(0).min(MOST_BUFFERS);
            for (at, buffer) in buffers.iter_mut().enumerate().take(count) {
                // SAFETY: within the array's `buffer_count` elements.
                let pointer = unsafe { param.buffer.add(at) };
                // SAFETY: an element of the array.
                let pointer: *mut c_void = unsafe { pointer.read() };
                // SAFETY: within the array's `buffer_count` elements.
                let length = unsafe { param.length.add(at) };
                // SAFETY: an element of the array.
                let length = usize::try_from(unsafe { length.read() }).unwrap_or(0);
                if !pointer.is_null() && length > 0 {
                    // SAFETY: a buffer of the event has as many bytes as its length says until the callback returns, and
                    // nobody writes it meanwhile (the observers are read-only by default, FACTS B2).
                    *buffer = Some(unsafe { slice::from_raw_parts(pointer.cast::<u8>(), length) });
                }
            }
        }
        Some(Self { class, callback, data, buffers })
    }
}

/// The bytes of a string; of a null, none.
///
/// # Safety
/// `text` is null or ends with a zero, and lives for `'a`.
unsafe fn text<'a>(text: *const std::ffi::c_char) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    // SAFETY: ends with a zero, as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    fn event(id: &CStr) -> iris_param {
        iris_param { event: id.as_ptr(), ..iris_param::default() }
    }

    #[test]
    fn nulls_are_nothing() {
        // SAFETY: null is allowed.
        assert!(unsafe { Incoming::read(ptr::null()) }.is_none());
        // SAFETY: an event of nulls only.
        assert!(unsafe { Incoming::read(&iris_param::default()) }.is_none());
        let mut nulls = event(c"Class_onIt");
        nulls.buffer_count = u32::MAX;
        // SAFETY: its arrays are null, which is allowed with any count.
        let read = unsafe { Incoming::read(&nulls) }.expect("it has a name");
        assert_eq!((read.class, read.callback, read.data.len()), ("Class", "onIt", 0));
        assert!(read.buffers.iter().all(Option::is_none));
    }

    #[test]
    fn buffers_are_what_pointer_and_length_say() {
        let (mut first, mut pointers) = ([1_u8, 2, 3], [ptr::null_mut(); 3]);
        let mut lengths = [3_u32, 7, 0];
        pointers[0] = first.as_mut_ptr().cast();
        pointers[2] = first.as_mut_ptr().cast();
        let mut param = event(c"Class_onItEx_1234567");
        param.data = c"{}".as_ptr();
        (param.buffer, param.length, param.buffer_count) = (pointers.as_mut_ptr(), lengths.as_mut_ptr(), 3);
        // SAFETY: arrays of three, buffers as long as their lengths say.
        let read = unsafe { Incoming::read(&param) }.expect("it has a name");
        assert_eq!((read.callback, read.data), ("onIt", &b"{}"[..]));
        assert_eq!(read.buffers, [Some(&[1, 2, 3][..]), None, None, None, None, None, None, None]);
    }

    #[test]
    fn a_name_that_is_no_text_is_nothing() {
        // SAFETY: strings only.
        assert!(unsafe { Incoming::read(&event(c"Cl\xffss_onIt")) }.is_none());
        // SAFETY: as above.
        assert!(unsafe { Incoming::read(&event(c"nothing")) }.is_none());
    }
}
