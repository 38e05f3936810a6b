//! Sending a change: once, under the restraint that all callers share, and only while the caller still may.

use std::time::{Duration, Instant};

use super::calls::Call;
use super::client::{Inner, Outgoing, PlatformClient};
use super::error::PlatformError;
use super::http::{CHANGE_LIMIT, Exchange};
use super::outcomes::Answer;
use super::pressure::LONGEST_SLEEP;
use super::token::Token;

impl PlatformClient {
    /// Sends a change, once, and says how it ended. The only second try is with a new token after the
    /// platform itself refused the old one.
    pub async fn send(&self, call: &Call, request_id: &str) -> Answer {
        self.send_while(call, request_id, LONGEST_SLEEP, || true).await
    }

    /// As [`Self::send`]; waits no longer than `patience` when the platform asked all callers to slow down, and asks
    /// `may_leave` right before a byte leaves. What may not leave was not sent ([`PlatformError::Withheld`]).
    pub async fn send_while(
        &self,
        call: &Call,
        request_id: &str,
        patience: Duration,
        may_leave: impl Fn() -> bool + Send,
    ) -> Answer {
        let inner = &*self.inner;
        let (request, mut token) = match inner.prepare(call, request_id, patience).await {
            Ok(prepared) => prepared,
            Err(error) => return Answer::not_sent(error),
        };
        let Ok(_turn) = inner.changes.acquire().await else {
            return Answer::not_sent(PlatformError::Withheld);
        };
        if !may_leave() {
            return Answer::not_sent(PlatformError::Withheld);
        }
        let sent_at = Instant::now();
        let mut result = inner.exchange(&request, &token, CHANGE_LIMIT).await;
        if result.as_ref().is_ok_and(Exchange::refuses_token) {
            token = match inner.token_after(&token).await {
                Ok(token) => token,
                Err(error) => return Answer::not_sent(error),
            };
            if !may_leave() {
                return Answer::not_sent(PlatformError::Withheld);
            }
            result = inner.exchange(&request, &token, CHANGE_LIMIT).await;
        }
        let duration_ms = i64::try_from(sent_at.elapsed().as_millis()).unwrap_or(i64::MAX);
        match result {
            Err(error) => Answer::broken(error, duration_ms),
            Ok(exchange) => {
                let mut secrets = call.secrets();
                secrets.extend(inner.own_secrets(&token));
                Answer::read(call, &exchange, duration_ms, &secrets)
            }
        }
    }

    /// How long a change may take from its first byte to the end of its answer.
    pub fn change_timeout(&self) -> Duration {
        self.inner.http.options().change_timeout
    }
}

impl Inner {
    /// Everything that can fail without anything having been sent.
    async fn prepare(
        &self,
        call: &Call,
        request_id: &str,
        patience: Duration,
    ) -> Result<(Outgoing, Token), PlatformError> {
        let request = self.change_request(call, request_id)?;
        self.wait_to_change(patience).await?;
        Ok((request, self.token().await?))
    }
}
