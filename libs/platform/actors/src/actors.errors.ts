import { ChainfoldError, type StreamName } from '#platform/kernel';

/** Too much waits already. */
export class Overloaded extends ChainfoldError {
  readonly retryAfterMs: number;

  constructor(stream: StreamName, limit: string, retryAfterMs: number) {
    super('Too many commands wait', {
      code: 'overloaded',
      kind: 'throttled',
      retryable: true,
      facts: { stream, limit, retryAfterMs },
      hint: 'Send the same command again after the given time.',
    });
    this.retryAfterMs = retryAfterMs;
  }
}

export class DeadlinePassed extends ChainfoldError {
  constructor(stream: StreamName) {
    super('The command waited past its deadline and was not carried out', {
      code: 'deadline-passed',
      kind: 'unavailable',
      retryable: true,
      facts: { stream },
      hint: 'Send it again, with more time.',
    });
  }
}

export class RevisionMismatch extends ChainfoldError {
  constructor(stream: StreamName, expected: number, actual: number) {
    super('The stream has moved since it was read', {
      code: 'revision-mismatch',
      kind: 'conflict',
      facts: { stream, expected, actual },
      hint: 'Read it again and decide anew.',
    });
  }
}

/** The stored facts can not be folded. Alarmed when it happens; nothing is written until the code can. */
export class ActorQuarantined extends ChainfoldError {
  constructor(stream: StreamName, readUntil: number, type: string, cause: unknown) {
    super('The stream holds an event that can not be folded, so nothing may be written to it', {
      code: 'actor-quarantined',
      kind: 'bug',
      facts: { stream, readUntil, type, because: cause instanceof Error ? cause.message : String(cause) },
      hint: 'Start a version that knows this event; nothing is lost.',
      cause,
    });
  }
}

export class Draining extends ChainfoldError {
  constructor(stream: StreamName) {
    super('The service is stopping and takes no more commands', {
      code: 'draining',
      kind: 'unavailable',
      retryable: true,
      facts: { stream },
      hint: 'Send the same command again when the service is back.',
    });
  }
}

/** One command decided more than one append takes, and its stream may not be written in parts. */
export class DecisionTooLarge extends ChainfoldError {
  constructor(stream: StreamName, what: 'events' | 'bytes' | 'bytesOfOneEvent', limit: number, actual: number) {
    super('The command decides more than one append takes', {
      code: 'decision-too-large',
      kind: 'invalid',
      facts: { stream, what, limit, actual },
      hint: 'Split the command into smaller ones.',
    });
  }
}

/** Found before anything was written: the decider contradicts itself or its definition. */
export class DecisionUnsound extends ChainfoldError {
  constructor(stream: StreamName, type: string, rule: string, cause?: unknown) {
    super('A decider made an event that it can not live with', {
      code: 'decision-unsound',
      kind: 'bug',
      facts: { stream, type, rule },
      hint: 'Nothing was written. Correct the decider.',
      cause,
    });
  }
}
