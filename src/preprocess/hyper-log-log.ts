const PRECISION = 12;
const REGISTERS = 1 << PRECISION;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);
const FIRST_SKETCHES = 2;

/**
 * A bounded pool of HyperLogLog sketches of 4,096 registers (standard error 1.6 %). Flajolet, Fusy, Gandouet, Meunier:
 * "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm" (2007), with 64-bit hashes, so that no
 * correction for large ranges is needed (Heule, Nunkesser, Hall 2013).
 */
export class HyperLogLogs {
  readonly #sketchesMax: number;
  #registers = new Uint8Array(0);
  #taken = 0;
  #refused = 0;

  constructor(sketchesMax: number) {
    this.#sketchesMax = sketchesMax;
  }

  /** Occurrences given to no sketch because all were taken. */
  get refused(): number {
    return this.#refused;
  }

  /** A fresh sketch, numbered from 1; 0 when all are taken. */
  take(): number {
    if (this.#taken === this.#sketchesMax) return 0;
    const needed = ++this.#taken * REGISTERS;
    if (needed > this.#registers.length) {
      const grown = new Uint8Array(Math.max(needed * 2, FIRST_SKETCHES * REGISTERS));
      grown.set(this.#registers);
      this.#registers = grown;
    }
    return this.#taken;
  }

  /** Adds an item by its hash, two independent words. Sketch 0 takes nothing. */
  add(sketch: number, high: number, low: number): void {
    if (sketch === 0) {
      this.#refused++;
      return;
    }
    const register = (sketch - 1) * REGISTERS + (high >>> (32 - PRECISION));
    const rank = Math.clz32(low) + 1;
    if (rank > this.#registers[register]!) this.#registers[register] = rank;
  }

  /** Distinct items added. */
  estimate(sketch: number): number {
    let sum = 0;
    let zeros = 0;
    for (let i = (sketch - 1) * REGISTERS; i < sketch * REGISTERS; i++) {
      const rank = this.#registers[i]!;
      if (rank === 0) zeros++;
      sum += 2 ** -rank;
    }
    const raw = (ALPHA * REGISTERS * REGISTERS) / sum;
    return raw <= 2.5 * REGISTERS && zeros > 0 ? REGISTERS * Math.log(REGISTERS / zeros) : raw;
  }
}
