/** Lets others have their turn during long work: whoever does it asks often, and waits where it is told to. */
export class Pace {
  readonly #breathe: () => Promise<void>;
  #steps = 0;
  #until = Date.now() + SLICE_MS;

  /** `breathe` resolves when the work may go on, and rejects where it is to end. */
  constructor(breathe: () => Promise<void>) {
    this.#breathe = breathe;
  }

  /** Whether it is the others' turn. */
  get due(): boolean {
    return ++this.#steps % STEPS_PER_LOOK === 0 && Date.now() >= this.#until;
  }

  async breathe(): Promise<void> {
    await this.#breathe();
    this.#until = Date.now() + SLICE_MS;
  }
}

const SLICE_MS = 4;
/** The clock is looked at after so many steps. */
const STEPS_PER_LOOK = 32;
