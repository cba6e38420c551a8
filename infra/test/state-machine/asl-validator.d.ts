/** asl-validator has types, and does not name them in its package.json. */
declare module 'asl-validator' {
  export default function aslValidator(
    definition: never,
    options?: { checkPaths?: boolean; checkArn?: boolean },
  ): { isValid: boolean; errors: { message: string }[]; errorsText: (separator?: string) => string };
}
