//! The numbers that Agora's interfaces use, as types. Each keeps a number that it doesn't know: a newer library may
//! bring more of them.
//!
//! The numbers are the same in the server gateway and in the desktop SDK (FACTS A7).

use std::fmt;

use parley_call::EngineError;

macro_rules! codes {
    ($(#[doc = $doc:literal])+ $name:ident { $($variant:ident = $number:literal $text:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("Number ", stringify!($number), ": ", $text, ".")] $variant,)+
            /// A number that is not in our list.
            Unknown(i32),
        }

        impl $name {
            /// Those that we know, each with its number.
            pub const KNOWN: &'static [(&'static str, i32)] = &[$((stringify!($variant), $number)),+];
        }

        impl From<i32> for $name {
            fn from(number: i32) -> Self {
                match number {
                    $($number => Self::$variant,)+
                    number => Self::Unknown(number),
                }
            }
        }

        impl From<$name> for i32 {
            fn from(code: $name) -> Self {
                match code {
                    $($name::$variant => $number,)+
                    $name::Unknown(number) => number,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => write!(f, concat!($text, " ({})"), $number),)+
                    Self::Unknown(number) => write!(f, "code {number}"),
                }
            }
        }
    };
}

codes! {
    /// How a connection stands.
    ConnectionState {
        Disconnected = 1 "not connected",
        Connecting = 2 "connecting",
        Connected = 3 "connected",
        Reconnecting = 4 "connecting again",
        Failed = 5 "failed for good",
    }
}

codes! {
    /// Why a connection changed its state.
    ChangedReason {
        Connecting = 0 "connecting",
        JoinSuccess = 1 "joined",
        Interrupted = 2 "the connection was interrupted",
        BannedByServer = 3 "banned from the channel",
        JoinFailed = 4 "the server could not be reached for long",
        LeaveChannel = 5 "left",
        InvalidAppId = 6 "the App ID is not valid",
        InvalidChannelName = 7 "the channel's name is not valid",
        InvalidToken = 8 "the token is not valid",
        TokenExpired = 9 "the token is past its time",
        RejectedByServer = 10 "the server refused",
        SettingProxy = 11 "a proxy is being set",
        RenewToken = 12 "the token is being renewed",
        ClientIpChanged = 13 "our address changed",
        KeepAliveTimeout = 14 "the server was silent for too long",
        RejoinSuccess = 15 "joined again",
        Lost = 16 "the connection was lost",
        EchoTest = 17 "an echo test",
        ClientIpChangedByUser = 18 "our address was changed",
        SameUidLogin = 19 "the same person joined elsewhere",
        TooManyBroadcasters = 20 "too many people send in the channel",
        LicenseValidationFailure = 21 "the licence was refused",
        CertificateVerifyFailure = 22 "the server's certificate was refused",
        StreamChannelNotAvailable = 23 "the stream channel is not available",
        InconsistentAppId = 24 "the App ID doesn't fit the token",
    }
}

codes! {
    /// Why somebody is no longer in the channel.
    OfflineReason {
        Quit = 0 "left",
        Dropped = 1 "not heard of for too long",
        BecameAudience = 2 "only listens now",
    }
}

codes! {
    /// What went wrong, as a positive number. Functions answer it negated, see [`ErrorCode::of_answer`].
    ErrorCode {
        Failed = 1 "failed",
        InvalidArgument = 2 "an argument is not valid",
        NotReady = 3 "not ready",
        NotSupported = 4 "not supported",
        Refused = 5 "refused",
        BufferTooSmall = 6 "the buffer is too small",
        NotInitialized = 7 "not initialised",
        InvalidState = 8 "not in this state",
        NoPermission = 9 "no permission",
        TimedOut = 10 "timed out",
        Canceled = 11 "cancelled",
        TooOften = 12 "too often",
        BindSocket = 13 "a socket can't be bound",
        NetDown = 14 "the network is down",
        JoinChannelRejected = 17 "joining was refused",
        LeaveChannelRejected = 18 "leaving was refused",
        AlreadyInUse = 19 "already in use",
        Aborted = 20 "broken off",
        InitNetEngine = 21 "the network part can't start",
        ResourceLimited = 22 "too few resources",
        FuncIsProhibited = 23 "not allowed",
        InvalidAppId = 101 "the App ID is not valid",
        InvalidChannelName = 102 "the channel's name is not valid",
        NoServerResources = 103 "no server is free in this region",
        TokenExpired = 109 "the token is past its time",
        InvalidToken = 110 "the token is not valid",
        ConnectionInterrupted = 111 "the connection was interrupted",
        ConnectionLost = 112 "the connection was lost",
        NotInChannel = 113 "not in the channel",
        SizeTooLarge = 114 "too large",
        BitrateLimit = 115 "more than the bitrate allows",
        TooManyDataStreams = 116 "too many data streams",
        StreamMessageTimeout = 117 "a data message came too late",
        SetClientRoleNotAuthorized = 119 "the role is not permitted",
        DecryptionFailed = 120 "decryption failed",
        InvalidUserId = 121 "the user's number is not valid",
        DatastreamDecryptionFailed = 122 "a data message can't be decrypted",
        ClientIsBannedByServer = 123 "banned from the channel",
        EncryptedStreamNotAllowed = 130 "an encrypted stream is not allowed here",
        LicenseCredentialInvalid = 131 "the licence is not valid",
        InvalidUserAccount = 134 "the user's account is not valid",
        ModuleNotFound = 157 "a part of the library is missing",
        PcmSendFormat = 200 "sound of a wrong format",
        PcmSendBufferOverflow = 201 "the sound's buffer is full",
        LoadMediaEngine = 1001 "the media engine can't be loaded",
        CameraNotAuthorized = 1501 "the camera is not permitted",
    }
}

impl ErrorCode {
    /// The error in what a function answered: 0 and above is success.
    pub fn of_answer(answer: i32) -> Result<(), Self> {
        if answer < 0 { Err(Self::from(answer.saturating_neg())) } else { Ok(()) }
    }
}

codes! {
    /// How well a direction of somebody's network does.
    NetworkQuality {
        Undetermined = 0 "not known",
        Excellent = 1 "excellent",
        Good = 2 "good",
        Poor = 3 "a little impaired",
        Bad = 4 "impaired",
        VeryBad = 5 "hardly usable",
        Down = 6 "down",
        Unsupported = 7 "can't be told",
        Detecting = 8 "being found out",
    }
}

codes! {
    /// How far publishing or subscribing a track has come.
    TrackState {
        Idle = 0 "nothing yet",
        Off = 1 "not asked for",
        UnderWay = 2 "under way",
        Done = 3 "done",
    }
}

codes! {
    /// What somebody else's track does.
    RemoteState {
        Stopped = 0 "stopped",
        Starting = 1 "starting",
        Decoding = 2 "playing",
        Frozen = 3 "frozen",
        Failed = 4 "failed",
    }
}

codes! {
    /// What somebody else changed about a track.
    UserMessage {
        MuteAudio = 0 "the sound was muted or unmuted",
        MuteVideo = 1 "the picture was muted or unmuted",
        EnableVideo = 4 "pictures were turned on or off",
        EnableLocalVideo = 8 "the camera was turned on or off",
    }
}

codes! {
    /// How a picture's bytes are arranged.
    PixelFormat {
        Default = 0 "the usual one",
        I420 = 1 "I420",
        Bgra = 2 "BGRA",
        Nv21 = 3 "NV21",
        Rgba = 4 "RGBA",
        Nv12 = 8 "NV12",
        Texture2d = 10 "a texture",
        TextureOes = 11 "an external texture",
        CvPixelNv12 = 12 "a pixel buffer with NV12",
        CvPixelI420 = 13 "a pixel buffer with I420",
        CvPixelBgra = 14 "a pixel buffer with BGRA",
        CvPixelP010 = 15 "a pixel buffer with P010",
        I422 = 16 "I422",
        TextureD3d11 = 17 "a Direct3D texture",
        I010 = 18 "I010",
    }
}

/// Every list with its numbers, for the comparison with Agora's own sources.
pub fn known() -> Vec<(&'static str, &'static [(&'static str, i32)])> {
    vec![
        ("ConnectionState", ConnectionState::KNOWN),
        ("ChangedReason", ChangedReason::KNOWN),
        ("OfflineReason", OfflineReason::KNOWN),
        ("ErrorCode", ErrorCode::KNOWN),
        ("NetworkQuality", NetworkQuality::KNOWN),
        ("TrackState", TrackState::KNOWN),
        ("RemoteState", RemoteState::KNOWN),
        ("UserMessage", UserMessage::KNOWN),
        ("PixelFormat", PixelFormat::KNOWN),
    ]
}

impl ChangedReason {
    /// What an engine says when a connection ended for this reason.
    pub fn to_error(self) -> EngineError {
        match self {
            // The App ID comes with the token, from the same settings of the server.
            Self::InvalidToken | Self::InvalidAppId | Self::InconsistentAppId => EngineError::TokenRefused,
            Self::TokenExpired => EngineError::TokenExpired,
            Self::BannedByServer => EngineError::Removed,
            Self::SameUidLogin => EngineError::JoinedElsewhere,
            Self::Interrupted | Self::JoinFailed | Self::KeepAliveTimeout | Self::Lost => EngineError::NoNetwork,
            other => EngineError::Failed(other.to_string()),
        }
    }
}

impl ErrorCode {
    /// What an engine says when this error ended what it was doing.
    pub fn to_error(self) -> EngineError {
        match self {
            Self::InvalidToken | Self::InvalidAppId => EngineError::TokenRefused,
            Self::TokenExpired => EngineError::TokenExpired,
            Self::ClientIsBannedByServer => EngineError::Removed,
            Self::TimedOut => EngineError::TimedOut,
            Self::NetDown | Self::ConnectionInterrupted | Self::ConnectionLost | Self::NoServerResources => {
                EngineError::NoNetwork
            }
            other => EngineError::Failed(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives_there_and_back() {
        for number in -2..=2_000 {
            assert_eq!(i32::from(ErrorCode::from(number)), number);
            assert_eq!(i32::from(ChangedReason::from(number)), number);
            assert_eq!(i32::from(PixelFormat::from(number)), number);
        }
        assert_eq!(ChangedReason::from(77), ChangedReason::Unknown(77));
        assert_eq!(ChangedReason::Unknown(77).to_string(), "code 77");
    }

    #[test]
    fn an_answer_below_zero_is_an_error_and_the_lowest_one_too() {
        assert_eq!(ErrorCode::of_answer(0), Ok(()));
        assert_eq!(ErrorCode::of_answer(7), Ok(()));
        assert_eq!(ErrorCode::of_answer(-110), Err(ErrorCode::InvalidToken));
        assert_eq!(ErrorCode::of_answer(i32::MIN), Err(ErrorCode::Unknown(i32::MAX)));
    }

    #[test]
    fn reasons_become_what_an_engine_says() {
        assert_eq!(ChangedReason::from(8).to_error(), EngineError::TokenRefused);
        assert_eq!(ChangedReason::from(6).to_error(), EngineError::TokenRefused);
        assert_eq!(ErrorCode::from(101).to_error(), EngineError::TokenRefused);
        assert_eq!(ChangedReason::from(9).to_error(), EngineError::TokenExpired);
        assert_eq!(ErrorCode::from(109).to_error(), EngineError::TokenExpired);
        assert_eq!(ErrorCode::from(110).to_error(), EngineError::TokenRefused);
        assert_eq!(ChangedReason::from(16).to_error(), EngineError::NoNetwork);
        assert_eq!(ChangedReason::from(3).to_error(), EngineError::Removed);
        assert_eq!(ErrorCode::from(123).to_error(), EngineError::Removed);
        assert_eq!(ChangedReason::from(19).to_error(), EngineError::JoinedElsewhere);
        let refused = ChangedReason::from(10).to_error().to_string();
        assert_eq!(refused, "the media engine failed: the server refused (10)");
    }
}
