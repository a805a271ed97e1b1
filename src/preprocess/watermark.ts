/** How far an exporter's watermark stays behind its flows. */
export interface WatermarkSettings {
  /** Flows may come this much later than flows that ended after them. */
  readonly outOfOrdernessUs: number;
  /** A flow's end counts at most up to this long after its receipt. */
  readonly allowedSkewUs: number;
}

/**
 * Event-time progress of one exporter: its highest flow end, clamped to receipt + allowed skew, less the
 * out-of-orderness bound. Never moves back. -Infinity before the first flow.
 */
export class Watermark {
  readonly #settings: WatermarkSettings;
  #valueUs: number;
  #atArrivalUs: number;
  #arrivalUs: number;

  constructor(settings: WatermarkSettings, valueUs: number, nowUs: number) {
    this.#settings = settings;
    this.#valueUs = valueUs;
    this.#atArrivalUs = valueUs;
    this.#arrivalUs = nowUs;
  }

  get valueUs(): number {
    return this.#valueUs;
  }

  /** Takes a flow into account. */
  observe(endUs: number, receivedUs: number): void {
    const latestUs = receivedUs + this.#settings.allowedSkewUs;
    this.raise(Math.min(endUs, latestUs) - this.#settings.outOfOrdernessUs);
  }

  /** Moves to `us` if that is forward. */
  raise(us: number): void {
    if (us > this.#valueUs) this.#valueUs = us;
  }

  /** Flows came at processing time `nowUs`; idleness counts from here. Call after `observe`. */
  arrived(nowUs: number): void {
    this.#atArrivalUs = this.#valueUs;
    this.#arrivalUs = nowUs;
  }

  /** Where an idle exporter's event time stands: it follows the clock once nothing came for `idleAfterUs`; before that, null. */
  idleUs(nowUs: number, idleAfterUs: number): number | null {
    const silentUs = nowUs - this.#arrivalUs;
    return silentUs >= idleAfterUs ? this.#atArrivalUs + silentUs : null;
  }
}
