//! The JSON keys of a type, as `serde` knows them: there is no second list of them that could differ.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error, Visitor},
    forward_to_deserialize_any,
};

/// The keys of `T`, in their order; none if it is no structure.
pub fn keys_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // It always "fails": nothing is there to be read, only the question is listened to.
    let _ = T::deserialize(Listener(&mut found));
    found
}

/// Is asked for a structure, and keeps the names of its fields.
struct Listener<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing is there to be read")
    }
}

impl std::error::Error for Nothing {}

impl Error for Nothing {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Listener<'_> {
    type Error = Nothing;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Nothing> {
        Err(Nothing)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Nothing> {
        *self.0 = fields;
        Err(Nothing)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn the_names_on_the_wire_are_found() {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[expect(dead_code, reason = "only its keys are asked for")]
        struct Sample {
            video_track_id: u32,
            #[serde(rename = "deviceIdUTF8")]
            device: Option<String>,
        }
        assert_eq!(keys_of::<Sample>(), ["videoTrackId", "deviceIdUTF8"]);
        assert_eq!(keys_of::<u32>(), [""; 0]);
        assert_eq!(keys_of::<Vec<Sample>>(), [""; 0]);
    }
}
