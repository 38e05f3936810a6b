//! Work that takes milliseconds.

use std::panic::resume_unwind;

/// Does such work on a thread of its own, so that no request and no answer waits for it.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The process ends: nobody waits for this any more.
        Err(_) => std::future::pending().await,
    }
}

/// The same for work that is not always so long: what is short is done at once.
pub async fn aside_if<T: Send + 'static>(is_long: bool, work: impl FnOnce() -> T + Send + 'static) -> T {
    if is_long { aside(work).await } else { work() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_it_comes_to_comes_back() {
        assert_eq!(aside(|| 2 + 3).await, 5);
        let here = std::thread::current().id();
        let thread = || std::thread::current().id();
        assert_eq!(aside_if(false, thread).await, here);
        assert_ne!(aside_if(true, thread).await, here);
    }

    #[tokio::test]
    #[should_panic(expected = "as it was")]
    async fn a_panic_stays_a_panic() {
        aside(|| panic!("as it was")).await
    }
}
