//! The operating system's random numbers.

/// Draws from the cryptographic library's generator, which the operating system seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl SystemRandom {
    /// Fills the buffer. Without entropy the process aborts, because nothing it could do then would be safe.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one source of randomness; all others get it injected"
    )]
    pub fn fill(self, buffer: &mut [u8]) {
        if aws_lc_rs::rand::fill(buffer).is_err() {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SystemRandom;

    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        SystemRandom.fill(&mut a);
        SystemRandom.fill(&mut b);
        assert!(a != b && a != [0; 32]);
    }
}
