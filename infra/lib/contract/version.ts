// Written by `make contract` from crates/domain/src/contract.

/** Version of the functions and of the command line. */
export const VERSION = '0.1.0';
