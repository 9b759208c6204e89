import type { Decider, DecisionContext, DomainEvent, JsonObject } from '#platform/kernel';
import { ChainfoldError } from '#platform/kernel';

export interface When<Command, Event> {
  when(command: Command): Outcome<Event>;
}

export interface Outcome<Event> {
  /** Exactly these facts, in this order; `[]` when nothing is to be said. */
  then(events: readonly Event[]): void;
  /** Refused with this code, and these facts among others when given. */
  thenThrows(code: string, facts?: JsonObject): void;
}

/** `given(decider, [opened]).when(deposit).then([deposited])`: a decider's spec, read aloud. */
export function given<State, Command, Event extends DomainEvent>(
  decider: Decider<State, Command, Event>,
  events: readonly Event[],
  context: DecisionContext = { now: Date.parse('2024-01-01T00:00:00.000Z') },
): When<Command, Event> {
  const state = events.reduce<State>((before, event) => decider.evolve(before, event), decider.initialState());
  return {
    when: (command) => ({
      then: (expected) => expect(decider.decide(command, state, context)).toEqual(expected),
      thenThrows: (code, facts) => {
        const refusal = refusalOf(() => decider.decide(command, state, context));
        expect(refusal.code).toBe(code);
        if (facts !== undefined) expect(refusal.facts).toMatchObject(facts);
      },
    }),
  };
}

function refusalOf(decide: () => readonly DomainEvent[]): ChainfoldError {
  let decided: readonly DomainEvent[];
  try {
    decided = decide();
  } catch (error) {
    if (error instanceof ChainfoldError) return error;
    throw error;
  }
  throw new Error(`expected a refusal, but it was decided: ${JSON.stringify(decided)}`);
}
