import { ChainfoldError } from '#platform/kernel';
import type { JsonObject, Position } from '#platform/kernel';

export class ProjectionNotReady extends ChainfoldError {
  constructor(projection: string, facts: JsonObject = {}) {
    super('This read model is not ready to be read', {
      code: 'projection-not-ready',
      kind: 'unavailable',
      retryable: true,
      facts: { projection, ...facts },
      hint: 'It is being built from the log. Ask again; GET /projections shows how far it is.',
    });
  }
}

export class PositionNotReached extends ChainfoldError {
  constructor(projection: string, wanted: Position, reached: Position | undefined, timeoutMs: number) {
    super('This read model has not reached that position yet', {
      code: 'position-not-reached',
      kind: 'unavailable',
      retryable: true,
      facts: { projection, wanted, reached, timeoutMs },
      hint: 'Ask again, or without atLeast for what is known now. GET /projections shows the lag.',
    });
  }
}

export class PositionOfAnotherLog extends ChainfoldError {
  constructor(position: Position, log: string) {
    super('That position is of another log', {
      code: 'foreign-position',
      kind: 'conflict',
      facts: { position, log },
      hint: 'Take a position that this installation answered, or leave it out.',
    });
  }
}

/** Somebody else moved this generation on: nothing of the batch was written. */
export class CheckpointMoved extends ChainfoldError {
  constructor(facts: JsonObject) {
    super('Another owner moved the checkpoint of this projection; the batch was rolled back', {
      code: 'checkpoint-moved',
      kind: 'conflict',
      retryable: true,
      facts,
      hint: 'Let only one process run projections on one data directory.',
    });
  }
}

export class ReadDataNewer extends ChainfoldError {
  constructor(file: string, found: number, known: number) {
    super('The read models were written by a newer release', {
      code: 'data-newer',
      kind: 'unavailable',
      facts: { file, found, known },
      hint: 'Run the newer release again, or delete this file: it is rebuilt from the log.',
    });
  }
}

export class ReadDataDamaged extends ChainfoldError {
  constructor(file: string, reason: string, cause?: unknown) {
    super('The file of the read models is damaged', {
      code: 'data-damaged',
      kind: 'unavailable',
      facts: { file, reason },
      hint: 'Stop, delete this file with its -wal and -shm, and start again: it is rebuilt from the log.',
      cause,
    });
  }
}

/** A row or table that its definition does not allow: a bug of the projection, found before it is written. */
export class InvalidRow extends ChainfoldError {
  constructor(reason: string, facts: JsonObject) {
    super('A projection wrote a row that its table does not allow', {
      code: 'invalid-row',
      kind: 'bug',
      facts: { reason, ...facts },
      hint: 'Correct the projection or its table definition and raise its version.',
    });
  }
}

export class NoSuchGeneration extends ChainfoldError {
  constructor(projection: string, generation: number, reason: string) {
    super('That generation can not be taken', {
      code: 'no-such-generation',
      kind: 'missing',
      facts: { projection, generation, reason },
      hint: 'GET /projections lists the generations that are kept.',
    });
  }
}
