import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import type { Settings } from '../settings/keys';

/** Prefixes of working files, which are deleted some days after a run was completed, if the context says so. */
export const WORKING_FILES = [PREFIXES.jobInputs, PREFIXES.inputRows, PREFIXES.jobOutputs] as const;

/** Returns the variables of the functions that note and delete them; none if they stay. */
export function workingFileSettings({ deleteWorkingFilesAfterDays: days }: Settings): Record<string, string> {
  return days === undefined ? {} : { [ENVIRONMENT.deleteWorkingFilesAfterDays]: String(days) };
}
