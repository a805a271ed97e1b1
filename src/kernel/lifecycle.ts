/** A part with a life: `create…` is inert, `start` acts, `stop` undoes. `stop` is idempotent and bounded in time by its owner. */
export interface Component {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts in order and stops in reverse; a failed start stops what had begun. */
export class Lifecycle {
  readonly #components: readonly Component[];
  readonly #started: Component[] = [];

  constructor(components: readonly Component[]) {
    this.#components = components;
  }

  async start(): Promise<void> {
    for (const component of this.#components) {
      try {
        await component.start();
      } catch (error) {
        await this.stop();
        throw error;
      }
      this.#started.push(component);
    }
  }

  /** Stops everything that was started, last first; the first error is thrown after all were stopped. */
  async stop(): Promise<void> {
    let failure: unknown;
    for (let component = this.#started.pop(); component; component = this.#started.pop()) {
      try {
        await component.stop();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }
}
