//! Sums of money: integer minor units of an ISO 4217 currency. Never a float.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use ts_rs::TS;

/// Three capital letters of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[A-Z]{3}$", examples("USD")))]
#[ts(type = "string")]
pub struct Currency([u8; 3]);

/// Not three capital letters A–Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters, such as USD")]
pub struct InvalidCurrency;

impl Currency {
    /// The code, such as `USD`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is ASCII by construction")
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;
    fn from_str(code: &str) -> Result<Self, InvalidCurrency> {
        let letters: [u8; 3] = code.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if letters.iter().all(u8::is_ascii_uppercase) { Ok(Self(letters)) } else { Err(InvalidCurrency) }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A sum in minor units (cents for USD), between 0 and 2⁵³−1 so that every JSON reader keeps it exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// How many minor units.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 9_007_199_254_740_991_i64))]
    #[ts(type = "number")]
    pub amount_minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// By hand, since the derive would read `[125000, "USD"]` too.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with amountMinor and currency")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Money, A::Error> {
        let (mut amount_minor, mut currency) = (None, None);
        while let Some(name) = members.next_key::<String>()? {
            let is_twice = match name.as_str() {
                "amountMinor" => amount_minor.replace(members.next_value()?).is_some(),
                "currency" => currency.replace(members.next_value()?).is_some(),
                _ => members.next_value::<IgnoredAny>().map(|_| false)?,
            };
            if is_twice {
                return Err(de::Error::custom(format_args!("{name} stands there twice")));
            }
        }
        Ok(Money {
            amount_minor: amount_minor.ok_or_else(|| de::Error::missing_field("amountMinor"))?,
            currency: currency.ok_or_else(|| de::Error::missing_field("currency"))?,
        })
    }
}

impl Money {
    /// The largest amount that every JSON reader keeps exact (RFC 8259 §6).
    pub const MAX_AMOUNT_MINOR: i64 = (1 << 53) - 1;

    /// Whether the amount lies within 0…[`Self::MAX_AMOUNT_MINOR`].
    pub fn is_valid(&self) -> bool {
        (0..=Self::MAX_AMOUNT_MINOR).contains(&self.amount_minor)
    }
}
