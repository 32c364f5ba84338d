//! The operating system's random numbers.

use std::cell::RefCell;

use zeroize::Zeroize as _;

/// Draws from the cryptographic library's generator, which the operating system seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

/// How many bytes a thread draws together. One draw costs the generator as much for 16 bytes as for these, because it
/// changes its key each time (NIST SP 800-90A section 10.2.1.5.1), and every request takes a few: for its id, its tokens.
const TOGETHER: usize = 256;

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; TOGETHER], left: 0 }) };
}

/// What a thread has drawn and not yet handed out. Of what is handed out, nothing stays here.
struct Drawn {
    bytes: [u8; TOGETHER],
    left: usize,
}

impl Drawn {
    /// Fills a buffer that is not longer than `TOGETHER` with bytes that nobody else gets.
    fn hand_out(&mut self, buffer: &mut [u8]) {
        if buffer.len() > self.left {
            draw(&mut self.bytes);
            self.left = self.bytes.len();
        }
        let (unused, _) = self.bytes.split_at_mut(self.left);
        let (rest, taken) = unused.split_at_mut(self.left - buffer.len());
        buffer.copy_from_slice(taken);
        taken.zeroize();
        self.left = rest.len();
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Draws from the generator. Without entropy the process aborts, because nothing it could do then would be safe.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one source of randomness; all others get it injected"
)]
fn draw(buffer: &mut [u8]) {
    if aws_lc_rs::rand::fill(buffer).is_err() {
        std::process::abort();
    }
}

impl SystemRandom {
    /// Fills the buffer.
    pub fn fill(self, buffer: &mut [u8]) {
        if buffer.len() > TOGETHER / 4 {
            return draw(buffer);
        }
        // While a thread ends, what it has drawn may be gone already.
        if DRAWN.try_with(|drawn| drawn.borrow_mut().hand_out(buffer)).is_err() {
            draw(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        let (mut a, mut b) = ([0; 32], [0; 32]);
        SystemRandom.fill(&mut a);
        SystemRandom.fill(&mut b);
        assert!(a != b && a != [0; 32]);
    }

    /// Whatever their lengths, no two draws share bytes, and none leaves any behind.
    #[test]
    fn each_byte_is_handed_out_once() {
        let mut seen = std::collections::HashSet::new();
        for length in [16, 8, 64, 24, 32, 65, 200, 16, 256, 300, 40].into_iter().cycle().take(400) {
            let mut buffer = vec![0; length];
            SystemRandom.fill(&mut buffer);
            for eight in buffer.chunks_exact(8) {
                assert!(seen.insert(eight.to_owned()), "drawn twice");
            }
        }
        DRAWN.with_borrow(|drawn| assert!(drawn.bytes[drawn.left..].iter().all(|byte| *byte == 0)));
    }

    #[test]
    fn threads_draw_their_own() {
        let draw = || {
            let mut drawn = [0; 16];
            SystemRandom.fill(&mut drawn);
            drawn
        };
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(draw)).collect();
        let drawn: std::collections::HashSet<_> =
            threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(drawn.len(), 8);
    }
}
