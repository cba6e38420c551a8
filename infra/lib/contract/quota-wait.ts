// Written by `make contract` from crates/domain/src/contract.

/** Waits of the state machine for room at Bedrock, by which the functions know when a waiting run comes back. */
export const QUOTA_WAIT = {
  /** Maximum seconds before the first retry. Each wait is a random part of its maximum. */
  firstSeconds: 60,
  /** Maximum of each further wait, as a multiple of the one before. */
  backoffRate: 1.5,
  /** Maximum seconds of all waits. */
  maxSeconds: 900,
} as const;
