//! One HTTP exchange: JSON in, JSON or a problem out.

use std::time::Duration;

use parley_protocol::Problem;
pub(crate) use reqwest::Method;
use reqwest::{Response, header, redirect};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{ClientError, ServerAddress, error::Refusal};

/// Longest answer that is read; a page of 100 messages of 8,000 characters of four bytes fits.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// The HTTP client of one server.
#[derive(Clone)]
pub(crate) struct Http(reqwest::Client);

impl Http {
    pub(crate) fn new(address: &ServerAddress, timeout: Duration) -> Result<Self, ClientError> {
        crate::install_crypto();
        let mut builder = reqwest::Client::builder()
            // A redirect could carry a token or a password elsewhere.
            .redirect(redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .timeout(timeout)
            .user_agent(concat!("parley/", env!("CARGO_PKG_VERSION")));
        if address.is_loopback() {
            builder = builder.no_proxy();
        }
        builder.build().map(Self).map_err(|error| ClientError::Unreachable(error.to_string()))
    }

    /// One exchange. An empty answer reads as JSON `null`.
    pub(crate) async fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        bearer: Option<&str>,
        body: Option<&B>,
        idempotency_key: Option<&str>,
    ) -> Result<T, ClientError> {
        let mut request = self.0.request(method, url);
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await.map_err(from_reqwest)?;
        if response.status().is_success() {
            let bytes = read(response).await?;
            let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
            return serde_json::from_slice(bytes)
                .map_err(|error| ClientError::NotAParleyServer(format!("an unexpected answer ({error})")));
        }
        Err(refusal(response).await)
    }
}

async fn refusal(response: Response) -> ClientError {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    match read(response).await {
        Ok(bytes) => match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => {
                let mut refusal = Refusal::from_problem(problem);
                refusal.status = status.as_u16();
                refusal.retry_after = retry_after;
                ClientError::Refused(Box::new(refusal))
            }
            // A proxy in front of a server that is gone answers pages of its own.
            Err(_) if status.is_server_error() => ClientError::Unreachable(format!("answer {status}")),
            Err(_) => ClientError::NotAParleyServer(format!("answer {status} without a problem document")),
        },
        Err(error) => error,
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(from_reqwest)? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(ClientError::NotAParleyServer("an answer without end".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn from_reqwest(error: reqwest::Error) -> ClientError {
    if error.is_timeout() {
        return ClientError::TimedOut;
    }
    // The innermost cause says it for people; the address stays out of the text.
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ClientError::Unreachable(cause.to_string())
}
