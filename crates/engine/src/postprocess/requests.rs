//! Requests of a chunk's rows, in a run with requests of several rows.
//!
//! A request is sent again as a whole as long as it has no answer at all. Once it has one, or the model has refused it, the
//! rows without an answer of their own are sent again one by one: which of them is to blame is not known.

use arrow_array::UInt64Array;
use std::ops::Range;

/// Index that represents no request.
const NONE: u32 = u32::MAX;

/// Requests of the rows of a chunk, in the order of their lines in the chunk's file of records.
#[derive(Debug)]
pub(super) struct Requests {
    /// Request of each row.
    of_row: Vec<u32>,
    /// Rows of all requests, those of one after the other.
    rows: Vec<u32>,
    /// End of each request's rows.
    ends: Vec<u32>,
    /// True for each request whose rows are sent one by one from now on.
    is_split: Vec<bool>,
}

/// Record that is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resend {
    /// Request with this number, as it was sent before.
    Whole(usize),
    /// Row by itself.
    Row(usize),
}

/// Reason why the numbers of requests are unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the numbers of the rows' requests are not consecutive")]
pub(super) struct InvalidRequests;

impl Requests {
    /// Creates the requests from the number of each row's request, of which rows that are not sent have none.
    ///
    /// # Errors
    /// Returns an error if a number between the lowest and the highest one has no row, or if there are too many rows.
    pub(super) fn new(numbers: &[UInt64Array], is_sent: impl Fn(usize) -> bool) -> Result<Self, InvalidRequests> {
        let all = || numbers.iter().flat_map(|batch| batch.iter()).enumerate();
        let sent = || all().filter_map(|(row, number)| Some((row, number.filter(|_| is_sent(row))?)));
        let first = sent().map(|(_, number)| number).min().unwrap_or(0);
        let count = sent().map(|(_, number)| (number - first).saturating_add(1)).max().unwrap_or(0);
        let rows = all().count();
        let count = usize::try_from(count).ok().filter(|count| *count <= rows).ok_or(InvalidRequests)?;
        if u32::try_from(rows).map_or(true, |rows| rows == NONE) {
            return Err(InvalidRequests);
        }
        let (mut of_row, mut ends) = (vec![NONE; rows], vec![0_u32; count]);
        for (row, number) in sent() {
            // Both are below the number of rows, which fits.
            let request = usize::try_from(number - first).unwrap_or_default();
            of_row[row] = u32::try_from(request).unwrap_or(NONE);
            ends[request] += 1;
        }
        if ends.contains(&0) {
            return Err(InvalidRequests);
        }
        let mut end = 0;
        for rows_of_request in &mut ends {
            end += *rows_of_request;
            *rows_of_request = end;
        }
        let mut next: Vec<u32> = std::iter::once(0).chain(ends.iter().copied()).collect();
        let mut by_request = vec![0; end as usize];
        for (row, request) in of_row.iter().enumerate().filter(|(_, request)| **request != NONE) {
            let place = &mut next[*request as usize];
            by_request[*place as usize] = u32::try_from(row).unwrap_or(NONE);
            *place += 1;
        }
        Ok(Self { of_row, rows: by_request, is_split: vec![false; ends.len()], ends })
    }

    /// Returns the request of a row.
    pub(super) fn of_row(&self, row: usize) -> Option<usize> {
        self.of_row.get(row).filter(|request| **request != NONE).map(|request| *request as usize)
    }

    /// Returns the number of requests.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the number of rows of a request.
    pub(super) fn row_count(&self, request: usize) -> usize {
        self.range(request).len()
    }

    /// Returns the rows of a request, in order: the first one is row 1 of the request.
    pub(super) fn rows_of(&self, request: usize) -> impl Iterator<Item = usize> + use<'_> {
        self.rows.get(self.range(request)).unwrap_or_default().iter().map(|row| *row as usize)
    }

    /// Returns true if a row is the first one of its request.
    pub(super) fn is_first(&self, row: usize) -> bool {
        self.of_row(row).is_some_and(|request| self.rows_of(request).next() == Some(row))
    }

    /// Returns true if the rows of a request are sent one by one.
    pub(super) fn is_split(&self, request: usize) -> bool {
        self.is_split.get(request).copied().unwrap_or(true)
    }

    /// Has the rows of a request sent one by one from now on.
    pub(super) fn split(&mut self, request: usize) {
        if let Some(is_split) = self.is_split.get_mut(request) {
            *is_split = true;
        }
    }

    fn range(&self, request: usize) -> Range<usize> {
        let begin = request.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(request).copied().unwrap_or(begin);
        begin as usize..end as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_of_alternating_requests_are_found() {
        let numbers =
            [UInt64Array::from(vec![Some(7), Some(8), None, Some(7)]), UInt64Array::from(vec![Some(9), Some(8)])];
        let requests = Requests::new(&numbers, |_| true).unwrap();
        let rows: Vec<Vec<usize>> = (0..requests.len()).map(|request| requests.rows_of(request).collect()).collect();
        assert_eq!(rows, [vec![0, 3], vec![1, 5], vec![4]]);
        assert_eq!((requests.of_row(2), requests.of_row(5), requests.of_row(9)), (None, Some(1), None));
        assert_eq!((requests.is_first(1), requests.is_first(5), requests.is_first(2)), (true, false, false));
        assert_eq!((requests.row_count(1), requests.row_count(7)), (2, 0));
    }

    #[test]
    fn rows_that_are_not_sent_have_no_request() {
        let numbers = [UInt64Array::from(vec![3, 3, 4, 5])];
        let requests = Requests::new(&numbers, |row| row < 3).unwrap();
        assert_eq!((requests.len(), requests.of_row(3)), (2, None));
    }

    #[test]
    fn numbers_with_gaps_are_not_taken_for_lines() {
        for numbers in [vec![1, 3, 3], vec![0, u64::MAX]] {
            assert_eq!(Requests::new(&[UInt64Array::from(numbers)], |_| true).unwrap_err(), InvalidRequests);
        }
        assert_eq!(Requests::new(&[], |_| true).unwrap().len(), 0);
    }

    proptest! {
        #[test]
        fn every_row_is_in_its_request_once(numbers in prop::collection::vec(prop::option::of(0u64..9), 0..60), first: u32) {
            let known: std::collections::BTreeSet<u64> = numbers.iter().flatten().copied().collect();
            let index = |number: u64| known.iter().position(|known| *known == number).unwrap();
            let numbered = numbers.iter().map(|number| number.map(|number| u64::from(first) + index(number) as u64));
            let requests = Requests::new(&[numbered.collect()], |_| true).unwrap();
            prop_assert_eq!(requests.len(), known.len());
            for (row, number) in numbers.iter().enumerate() {
                prop_assert_eq!(requests.of_row(row), number.map(index));
            }
            for request in 0..requests.len() {
                let rows: Vec<usize> = requests.rows_of(request).collect();
                let expected: Vec<usize> = (0..numbers.len()).filter(|row| numbers[*row].map(index) == Some(request)).collect();
                prop_assert_eq!(rows, expected);
            }
        }
    }
}
