//! What the server demands of the texts in bodies, as schemas of its OpenAPI description. The limits are the domain's.

use parley_domain::{
    MAX_CONTENT_CHARS,
    fields::{
        MAX_EMAIL_BYTES, MAX_KEY_CHARS, MAX_NAME_CHARS, MAX_PASSWORD_BYTES, MAX_PROSE_CHARS, MAX_TIME_ZONE_BYTES,
        MAX_TITLE_CHARS, MIN_PASSWORD_CHARS,
    },
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Object, ObjectBuilder, RefOr, SchemaFormat,
        schema::{Schema, SchemaType, Type},
    },
};

use crate::Code;

/// One line with something visible in it, of so many characters at most; white space around it is trimmed and not
/// counted, control characters are refused.
macro_rules! line {
    ($between:literal) => {
        concat!(
            r"^\s*[^\s\u0000-\u001f\u007f-\u009f\u2028\u2029]([^\u0000-\u001f\u007f-\u009f\u2028\u2029]{0,",
            $between,
            r"}[^\s\u0000-\u001f\u007f-\u009f\u2028\u2029])?\s*$"
        )
    };
}
/// `MAX_NAME_CHARS`, less the first character and the last.
const NAME: &str = line!("98");
/// `MAX_TITLE_CHARS`, less the first character and the last.
const TITLE: &str = line!("198");
const _: () = assert!(MAX_NAME_CHARS == 98 + 2 && MAX_TITLE_CHARS == 198 + 2);
/// Lines with something visible in them, with no control characters but tab and line feed. Of a carriage return it says
/// too little, that a line feed follows: an expression that says it takes quadratic time.
const LINES: &str = r"^\s*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$";
/// The same, but it may be blank.
const BLANK_LINES: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]+$";
/// No control characters.
const KEY: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";
/// An IANA name by its form.
const TIME_ZONE: &str = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$";

fn text(description: &str, max_chars: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .min_length(Some(1))
        .max_length(Some(max_chars))
}

/// Its expression bounds it: what is trimmed may be as long as it likes.
fn line(description: &str, pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).pattern(Some(pattern))
}

fn or_null(text: ObjectBuilder) -> Object {
    text.schema_type(SchemaType::from_iter([Type::String, Type::Null])).build()
}

fn known(text: ObjectBuilder, format: KnownFormat) -> ObjectBuilder {
    text.format(Some(SchemaFormat::KnownFormat(format)))
}

pub(crate) fn email() -> Object {
    known(text("Address to sign in with.", MAX_EMAIL_BYTES), KnownFormat::Email).build()
}

pub(crate) fn new_password() -> Object {
    known(text("At least 10 characters, whatever they are.", MAX_PASSWORD_BYTES), KnownFormat::Password)
        .min_length(Some(MIN_PASSWORD_CHARS))
        .build()
}

pub(crate) fn name() -> Object {
    line("The name that others see, up to 100 characters; trimmed.", NAME).build()
}

pub(crate) fn name_or_null() -> Object {
    or_null(line("The name that others see, up to 100 characters; trimmed. Null leaves it.", NAME))
}

pub(crate) fn time_zone_or_null() -> Object {
    or_null(text("IANA name; null clears it.", MAX_TIME_ZONE_BYTES).pattern(Some(TIME_ZONE)))
}

pub(crate) fn title() -> Object {
    line("One line of up to 200 characters; trimmed.", TITLE).build()
}

pub(crate) fn prose() -> Object {
    text("What is wanted or offered, in full.", MAX_PROSE_CHARS).pattern(Some(LINES)).build()
}

pub(crate) fn content() -> Object {
    let description = "Stored verbatim after CR LF became LF; a text needs something visible. Never HTML.";
    text(description, MAX_CONTENT_CHARS).pattern(Some(BLANK_LINES)).build()
}

pub(crate) fn client_id_or_null() -> Object {
    let description = "The sender's own name for the message: the same one never makes a second message.";
    or_null(text(description, MAX_KEY_CHARS).pattern(Some(KEY)))
}

pub(crate) fn registrable_role() -> Object {
    let description = "Administrators are made on the command line only.";
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(["client", "provider"]))
        .build()
}

pub(crate) fn cancelled() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("A request can only become cancelled by hand."))
        .enum_values(Some(["CANCELLED"]))
        .build()
}

impl PartialSchema for Code {
    /// The codes that answers carry; the app's own ones never leave it.
    fn schema() -> RefOr<Schema> {
        let sent = Self::ALL.iter().filter(|code| code.status() >= 400).map(|code| code.as_str());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What to decide on. Stable; more may come."))
            .enum_values(Some(sent))
            .into()
    }
}

impl ToSchema for Code {}
