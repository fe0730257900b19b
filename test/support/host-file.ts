// A file of a host whose power can fail: what programs read, and what of it is on stable storage.
//
// Between the two are changes in the order in which they were made. A power cut leaves of each sector what it held after any of them, or before
// all: the host writes pages back when it likes, the disk in the order that it likes, and either may have been in the midst of it.

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
const ZEROS = new Uint8Array(SECTOR_BYTES);

/** A whole number from 0 to below `limit`. */
export type Random = (limit: number) => number;

/** Contents by number of the sector; what is not there is zero. The bytes are shared among copies and never change. */
type Sectors = Map<number, Uint8Array>;

/** What a write or a truncation made of the file. */
interface Change {
  readonly number: number;
  readonly sizeBytes: number;
  /** All that it touched. */
  readonly sectors: Sectors;
}

/** How much of the changes a power cut leaves. */
const OUTCOMES = ['nothing', 'everything', 'firstOnes', 'wholeOnes', 'anySectors'] as const;

export class HostFile {
  #live: Sectors = new Map();
  #liveBytes = 0;
  #durable: Sectors = new Map();
  #durableBytes = 0;
  #changes: Change[] = [];
  #changeCount = 0;

  get sizeBytes(): number {
    return this.#liveBytes;
  }

  /** Bytes of sectors that hold anything. */
  get storedBytes(): number {
    return this.#live.size * SECTOR_BYTES;
  }

  /** Fills `into` from `at` on; behind the end of the file with zeros. */
  read(into: Uint8Array, at: number): void {
    for (let done = 0; done < into.length;) {
      const within = (at + done) % SECTOR_BYTES;
      const count = Math.min(into.length - done, SECTOR_BYTES - within);
      const sector = this.#live.get(Math.floor((at + done) / SECTOR_BYTES)) ?? ZEROS;
      into.set(sector.subarray(within, within + count), done);
      done += count;
    }
  }

  write(bytes: Uint8Array, at: number): void {
    const sectors: Sectors = new Map();
    for (let done = 0; done < bytes.length;) {
      const number = Math.floor((at + done) / SECTOR_BYTES);
      const within = (at + done) % SECTOR_BYTES;
      const count = Math.min(bytes.length - done, SECTOR_BYTES - within);
      const sector = (this.#live.get(number) ?? ZEROS).slice();
      sector.set(bytes.subarray(done, done + count), within);
      sectors.set(number, sector);
      done += count;
    }
    this.#change(sectors, Math.max(this.#liveBytes, at + bytes.length));
  }

  /** Makes the file longer, by zeros. */
  extend(sizeBytes: number): void {
    if (sizeBytes > this.#liveBytes) this.#change(new Map(), sizeBytes);
  }

  empty(): void {
    this.#change(new Map([...this.#live.keys()].map((number) => [number, ZEROS])), 0);
  }

  #change(sectors: Sectors, sizeBytes: number): void {
    for (const [number, sector] of sectors) this.#live.set(number, sector);
    this.#liveBytes = sizeBytes;
    this.#changes.push({ number: ++this.#changeCount, sizeBytes, sectors });
  }

  /** The number of the last change, for {@link settle}. */
  get changeCount(): number {
    return this.#changeCount;
  }

  /** Whether all changes up to this one are on stable storage. */
  isSettled(upTo: number): boolean {
    return this.#changes.length === 0 || this.#changes[0]!.number > upTo;
  }

  /** All changes up to this one are on stable storage. */
  settle(upTo: number): void {
    while (this.#changes.length > 0 && this.#changes[0]!.number <= upTo) {
      const { sectors, sizeBytes } = this.#changes.shift()!;
      for (const [number, sector] of sectors) this.#durable.set(number, sector);
      this.#durableBytes = sizeBytes;
    }
  }

  /** What the next process finds when this one ends at once: all of it, as far from stable storage as it is. */
  copy(): HostFile {
    const copy = new HostFile();
    copy.#live = new Map(this.#live);
    copy.#liveBytes = this.#liveBytes;
    copy.#durable = new Map(this.#durable);
    copy.#durableBytes = this.#durableBytes;
    copy.#changes = [...this.#changes];
    copy.#changeCount = this.#changeCount;
    return copy;
  }

  /** What is left when the power fails now. */
  afterPowerCut(random: Random): HostFile {
    const left = new HostFile();
    left.#durable = new Map(this.#durable);
    left.#durableBytes = this.#durableBytes;
    left.#apply(this.#changes, OUTCOMES[random(OUTCOMES.length)]!, random);
    left.#live = new Map(left.#durable);
    left.#liveBytes = left.#durableBytes;
    return left;
  }

  #apply(changes: readonly Change[], outcome: (typeof OUTCOMES)[number], random: Random): void {
    const cut = random(changes.length + 1);
    for (const [index, change] of changes.entries()) {
      const isWhole = {
        nothing: false,
        everything: true,
        firstOnes: index < cut,
        wholeOnes: random(2) === 0,
        anySectors: false,
      };
      const isTorn = outcome === 'anySectors' || (outcome === 'firstOnes' && index === cut);
      if (!isWhole[outcome] && !isTorn) continue;
      for (const [number, sector] of change.sectors) {
        if (isWhole[outcome] || random(2) === 0) this.#durable.set(number, sector);
      }
      if (isWhole[outcome] || random(2) === 0) this.#durableBytes = change.sizeBytes;
    }
  }
}
