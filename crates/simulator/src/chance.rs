//! Decisions that look random but are not: each is a hash of the seed and of the names that it concerns, so it does not
//! depend on the order of requests, and a repeated run misbehaves in the same places.

/// Hash of the seed and the names, of which every bit is usable (FNV-1a, then the finisher of splitmix64).
pub(crate) fn number(seed: u64, names: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for name in names {
        // The separator keeps ("ab", "c") apart from ("a", "bc"); no UTF-8 text contains 0xff.
        for byte in name.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    mix(hash)
}

/// A number in `0.0..1.0`.
pub(crate) fn share(seed: u64, names: &[&str]) -> f64 {
    as_share(number(seed, names))
}

/// Returns true if something that happens at `rate` happens to these names.
pub(crate) fn happens(rate: f64, seed: u64, names: &[&str]) -> bool {
    rate > 0.0 && share(seed, names) < rate
}

/// One of `choices`, selected by the number; `None` if the list is empty.
pub(crate) fn pick<T>(choices: &[T], number: u64) -> Option<&T> {
    let count = u64::try_from(choices.len()).ok().filter(|count| *count > 0)?;
    choices.get(usize::try_from(number % count).ok()?)
}

/// A sequence of numbers, for shuffling and for vectors.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn from(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    pub(crate) fn next_share(&mut self) -> f64 {
        as_share(self.next())
    }

    /// Fisher and Yates' shuffle.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.next() % (last as u64 + 1);
            items.swap(last, usize::try_from(other).unwrap_or(last));
        }
    }
}

fn as_share(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_names_get_the_same_number_and_others_another() {
        assert_eq!(number(1, &["job", "record"]), number(1, &["job", "record"]));
        assert_ne!(number(1, &["job", "record"]), number(2, &["job", "record"]));
        assert_ne!(number(1, &["ab", "c"]), number(1, &["a", "bc"]));
    }

    #[test]
    fn a_rate_is_met_over_many_names() {
        let hits = (0..10_000).filter(|n| happens(0.3, 7, &["x", &n.to_string()])).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
        assert!(!(0..1_000).any(|n| happens(0.0, 7, &[&n.to_string()])));
        assert!((0..1_000).all(|n| happens(1.0, 7, &[&n.to_string()])));
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_moves_them() {
        let mut items: Vec<u32> = (0..100).collect();
        Numbers::from(3).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_picked_from_nothing() {
        assert_eq!(pick::<u8>(&[], 5), None);
        assert_eq!(pick(&[1, 2, 3], 4), Some(&2));
    }
}
