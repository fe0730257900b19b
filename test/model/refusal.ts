/** What the naive side throws for an operation that must not be done: the error code that the real one has to give. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Throws a Refusal where `condition` holds. */
export function refuse(condition: boolean, code: string): void {
  if (condition) throw new Refusal(code);
}
