//! Iris' two structures: sizes and offsets as public bindings of three languages agree on them.

use std::mem::{offset_of, size_of};

use agora_sys::iris::{iris_event_handler, iris_param};

#[test]
fn a_parameter_has_56_bytes_and_a_handler_8() {
    assert_eq!((size_of::<iris_param>(), size_of::<iris_event_handler>()), (56, 8));
    let offsets = [
        offset_of!(iris_param, event),
        offset_of!(iris_param, data),
        offset_of!(iris_param, data_size),
        offset_of!(iris_param, result),
        offset_of!(iris_param, buffer),
        offset_of!(iris_param, length),
        offset_of!(iris_param, buffer_count),
    ];
    assert_eq!(offsets, [0, 8, 16, 24, 32, 40, 48]);
}
