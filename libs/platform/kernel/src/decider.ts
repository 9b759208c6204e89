import type { DomainEvent } from './event.ts';

/** What a decision may know besides command and state. Everything that changes comes in here. */
export interface DecisionContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * An aggregate as three pure functions. `decide` states facts or throws a ChainfoldError; deciding the same command
 * twice decides nothing the second time. `evolve` never throws for events that `decide` made.
 */
export interface Decider<State, Command, Event extends DomainEvent> {
  initialState(): State;
  decide(command: Command, state: State, context: DecisionContext): readonly Event[];
  evolve(state: State, event: Event): State;
}
