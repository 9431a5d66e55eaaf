//! Our structures, callbacks and functions against a table that was computed from somebody else's declarations of the
//! same library (`data/gateway-abi.txt`). Where that source is known to be wrong, [`EXCEPTIONS`] says why.

use std::collections::BTreeMap;

const TABLE: &str = include_str!("data/gateway-abi.txt");
const BINDINGS: &str = include_str!("../src/gateway/bindings.rs");

/// Our structure and its name in the table.
const STRUCTS: &[(&str, &str)] = &[
    ("agora_service_config", "AgoraServiceConfigInner"),
    ("agora_audio_subscription_options", "AudioSubscriptionOptionsInner"),
    ("agora_rtc_conn_config", "RTCConnConfigInner"),
    ("agora_video_subscription_options", "VideoSubscriptionOptionsInner"),
    ("agora_video_dimensions", "VideoDimensionsInner"),
    ("agora_video_encoder_config", "VideoEncoderConfigurationInner"),
    ("agora_audio_encoder_config", "AudioEncoderConfigurationInner"),
    ("agora_encryption_config", "EncryptionConfigInner"),
    ("agora_color_space_type", "ColorSpaceTypeInner"),
    ("agora_external_video_frame", "ExternalVideoFrameInner"),
    ("agora_rtc_conn_info", "RTCConnInfoInner"),
    ("agora_rtc_stats", "RTCStatsInner"),
    ("agora_video_frame", "VideoFrameInner"),
    ("agora_audio_frame", "AudioFrameInner"),
    ("agora_audio_params", "AudioParamsInner"),
    ("agora_audio_volume_info", "AudioVolumeInfoInner"),
    ("agora_video_track_info", "VideoTrackInfoInner"),
    ("agora_remote_video_track_stats", "RemoteVideoTrackStatsInner"),
    ("agora_remote_video_stream_info", "RemoteVideoStreamInfoInner"),
    ("agora_lastmile_probe_one_way_result", "LastmileProbeOneWayResultInner"),
    ("agora_lastmile_probe_result", "LastmileProbeResultInner"),
    ("agora_rtc_conn_observer", "RTCConnectionObserverInner"),
    ("agora_local_user_observer", "RTCLocalUserObserverInner"),
    ("agora_audio_frame_observer", "AudioFrameObserverInner"),
    ("agora_video_frame_observer2", "VideoFrameObserverInner"),
];

/// Where we differ on purpose: structure and field (or `function` and name), ours, theirs, why.
const EXCEPTIONS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "agora_rtc_conn_info",
        "id",
        "0:u32",
        "0:u64",
        "the headers of 4.x have an unsigned int and four bytes of padding",
    ),
    ("agora_video_subscription_options", "encodedframeonly", "4:i32", "4:bool", "int in the headers and in cgo"),
    ("agora_encryption_config", "datastreamencryptionenabled", "48:u8", "48:bool", "a C bool is a byte"),
    (
        "agora_rtc_conn_observer",
        "onencryptionerror",
        "224:fn(ptr,i32)",
        "240:fn(ptr,i32)",
        "named twice there; the headers have it in slot 28",
    ),
    (
        "agora_rtc_conn_observer",
        "disputed",
        "240:fn(ptr,i32)",
        "",
        "the slot of that second name, which we leave empty",
    ),
    (
        "function",
        "agora_local_video_track_destroy",
        "fn(ptr)",
        "fn(ptr)->ptr",
        "void in the headers; nobody reads an answer",
    ),
    (
        "function",
        "agora_local_user_set_audio_volume_indication_parameters",
        "fn(ptr,i32,i32,i32)->i32",
        "fn(ptr,i32,i32,bool)->i32",
        "0 and 1 are the same in an argument's register",
    ),
];

/// Functions of ours that the table lacks, and where they come from.
const NOT_IN_THE_TABLE: &[&str] = &[
    // Exported by the real Android library, too.
    "getAgoraSdkVersion",
    "getAgoraSdkErrorDescription",
];

fn exception(of: &str, name: &str) -> Option<(&'static str, &'static str)> {
    EXCEPTIONS.iter().find(|one| one.0 == of && one.1 == name).map(|one| (one.2, one.3))
}

/// Names are compared without case and underscores: the source writes some in camel case.
fn plain(name: &str) -> String {
    name.trim_start_matches("r#").replace('_', "").to_lowercase()
}

/// Splits at commas that are not inside brackets.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, letter) in list.char_indices() {
        match letter {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' => depth -= 1,
            '>' if !list[..at].ends_with('-') => depth -= 1,
            ',' if depth == 0 => {
                parts.push(list[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list[from..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// What passes the border, in the words of both: a pointer is a pointer.
fn theirs(kind: &str) -> String {
    let kind = kind.trim();
    if let Some(rest) = kind.strip_prefix("fn(") {
        let (arguments, answer) = rest.rsplit_once(")->").unwrap_or((rest, "void"));
        return function(split(arguments).into_iter().map(theirs), &theirs(answer));
    }
    match kind {
        "u64/size_t" => "u64".to_owned(),
        "AudioParams" => "struct".to_owned(),
        "(unset)" => "void".to_owned(),
        _ if kind.ends_with('*') || kind.starts_with('*') => "ptr".to_owned(),
        _ if kind.ends_with("Inner") => "struct".to_owned(),
        _ => kind.replace(' ', ""),
    }
}

fn ours(kind: &str) -> String {
    let kind = kind.trim().trim_end_matches(',');
    let inner = kind.strip_prefix("::core::option::Option<").and_then(|rest| rest.strip_suffix('>'));
    let kind = inner.unwrap_or(kind).trim().trim_end_matches(',').trim();
    if let Some(rest) = kind.strip_prefix("unsafe extern \"C\" fn(") {
        let end = matching(rest);
        let answer = rest[end + 1..].trim().strip_prefix("->").unwrap_or("void");
        let typed =
            split(&rest[..end]).into_iter().map(|argument| ours(argument.split_once(':').map_or("", |two| two.1)));
        return function(typed, &ours(answer));
    }
    match kind {
        "usize" => "u64".to_owned(),
        "agora_handle" => "ptr".to_owned(),
        _ if kind.starts_with('*') => "ptr".to_owned(),
        _ if kind.starts_with("agora_") => "struct".to_owned(),
        _ => kind.replace("usize", "").replace(' ', ""),
    }
}

fn function(arguments: impl Iterator<Item = String>, answer: &str) -> String {
    let arguments = arguments.collect::<Vec<_>>().join(",");
    if answer == "void" { format!("fn({arguments})") } else { format!("fn({arguments})->{answer}") }
}

/// Where the bracket that is open before `text` closes.
fn matching(text: &str) -> usize {
    let mut depth = 1;
    let closes = |(_, letter): &(usize, char)| {
        depth += i32::from(*letter == '(') - i32::from(*letter == ')');
        depth == 0
    };
    text.char_indices().find(closes).expect("brackets close").0
}

/// Size, alignment, and `offset:kind` by name.
type Layout = (usize, usize, BTreeMap<String, String>);

fn their_layout(name: &str) -> Layout {
    let (_, rest) = TABLE.split_once(&format!("## {name} [")).unwrap_or_else(|| panic!("{name} is in the table"));
    let mut lines = rest.lines();
    let head = lines.next().unwrap_or_default();
    let number = |key: &str| {
        let (_, value) = head.split_once(key).expect("the head has it");
        value.split_whitespace().next().and_then(|digits| digits.parse().ok()).expect("a number")
    };
    let fields = lines.take_while(|line| line.starts_with(' ')).map(|line| {
        let (place, kind) = line.split_once(": ").expect("a field has a type");
        let place: Vec<&str> = place.split_whitespace().collect();
        (plain(place[2]), format!("{}:{}", place[0], theirs(kind)))
    });
    (number("sizeof="), number("align="), fields.collect())
}

/// The bindings without line breaks.
fn bindings() -> String {
    BINDINGS.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn our_layout(text: &str, name: &str) -> Layout {
    let asserted = |what: String| -> usize {
        let (_, rest) = text.split_once(&what).unwrap_or_else(|| panic!("{what} is asserted"));
        let (_, number) = rest.split_once(" - ").expect("an assertion subtracts");
        number.split_once("usize").and_then(|(digits, _)| digits.parse().ok()).expect("a number")
    };
    let (_, body) = text.split_once(&format!("pub struct {name} {{")).unwrap_or_else(|| panic!("{name} is bound"));
    let (body, _) = body.split_once('}').expect("a structure ends");
    let fields = split(body).into_iter().map(|field| {
        let (field, kind) = field.trim_start_matches("pub ").split_once(": ").expect("a field has a type");
        let offset = asserted(format!("\"Offset of field: {name}::{}\"", field.trim()));
        (plain(field.trim()), format!("{offset}:{}", ours(kind)))
    });
    let fields = fields.collect();
    (asserted(format!("\"Size of {name}\"")), asserted(format!("\"Alignment of {name}\"")), fields)
}

#[test]
fn every_structure_and_callback_has_the_same_layout() {
    let (text, mut problems) = (bindings(), Vec::new());
    for (name, other) in STRUCTS {
        let (our_size, our_alignment, our_fields) = our_layout(&text, name);
        let (size, alignment, fields) = their_layout(other);
        if (our_size, our_alignment) != (size, alignment) {
            problems.push(format!("{name}: {our_size}/{our_alignment}, not {size}/{alignment}"));
        }
        let names: Vec<&String> = our_fields.keys().chain(fields.keys()).collect();
        for field in names {
            let found =
                (our_fields.get(field).map_or("", String::as_str), fields.get(field).map_or("", String::as_str));
            if found.0 != found.1 && exception(name, field) != Some(found) {
                problems.push(format!("{name}.{field}: `{}`, not `{}`", found.0, found.1));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn every_function_has_the_same_type() {
    let text = bindings();
    let listed: BTreeMap<&str, String> = TABLE
        .lines()
        .skip_while(|line| *line != "## FUNCTIONS")
        .filter_map(|line| line.split_once(" ("))
        .map(|(name, rest)| {
            let (arguments, answer) = rest.rsplit_once(") -> ").expect("a function has an answer");
            let arguments = if arguments == "unset" { "" } else { arguments };
            (name, theirs(&format!("fn({arguments})->{answer}")))
        })
        .collect();
    assert!(listed.len() > 90, "the table was read: {}", listed.len());
    let mut problems = Vec::new();
    for name in agora_sys::gateway::FUNCTIONS {
        let (_, rest) = text.split_once(&format!("pub {name}: Result<")).expect("a function is bound");
        let (kind, _) = rest.split_once("::libloading::Error").expect("a function may be missing");
        let bound = ours(kind.trim().trim_end_matches(','));
        match listed.get(name) {
            Some(other) if *other == bound || exception("function", name) == Some((&bound, other)) => {}
            Some(other) => problems.push(format!("{name}: `{bound}`, not `{other}`")),
            None if NOT_IN_THE_TABLE.contains(name) => {}
            None => problems.push(format!("{name} is in no table")),
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn every_structure_of_ours_is_compared() {
    let text = bindings();
    let bound = text.match_indices("pub struct agora_").map(|(at, _)| &text[at + "pub struct ".len()..]);
    for name in bound.filter_map(|rest| rest.split_whitespace().next()) {
        assert!(STRUCTS.iter().any(|(ours, _)| *ours == name), "{name} has no place in the table");
    }
}

#[test]
fn a_wrong_field_would_be_found() {
    let text = bindings().replace("(agora_video_frame, y_buffer) - 24usize", "(agora_video_frame, y_buffer) - 28usize");
    assert_ne!(our_layout(&text, "agora_video_frame"), their_layout("VideoFrameInner"));
    assert_eq!(
        ours("::core::option::Option<unsafe extern \"C\" fn(a: agora_handle, b: *const f64, c: u32) -> i32>"),
        "fn(ptr,ptr,u32)->i32"
    );
    assert_eq!(theirs("fn(void*, *RTCConnInfoInner, i32)->void"), "fn(ptr,ptr,i32)");
}
