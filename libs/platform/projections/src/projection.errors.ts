import { ChainfoldError } from '#platform/kernel';

/** A revision of a stream never arrived although the stream has it. Nothing after it is applied. */
export class GapDetected extends ChainfoldError {
  constructor(facts: { stream: string; expected: number; found: number; projection: string }) {
    super('Events of a stream are missing from what the log delivered', {
      code: 'gap-detected',
      kind: 'unavailable',
      retryable: true,
      facts,
      hint: 'It is read again from the checkpoint. If it stays, check the log with `chainfold verify`, then `chainfold rebuild`.',
    });
  }
}

export class TooManyParkedKeys extends ChainfoldError {
  constructor(projection: string, limit: number, key: string, reason: string) {
    super('Too many keys are parked; the projection is paused', {
      code: 'too-many-parked-keys',
      kind: 'unavailable',
      facts: { projection, limit, key, reason },
      hint: 'Correct the projection and raise its version, or retry or skip parked events, then resume.',
    });
  }
}

export class NoSuchProjection extends ChainfoldError {
  constructor(projection: string) {
    super('There is no projection of that name', {
      code: 'no-such-projection',
      kind: 'missing',
      facts: { projection },
      hint: 'GET /projections lists them.',
    });
  }
}

export class NothingParked extends ChainfoldError {
  constructor(projection: string, key: string) {
    super('Nothing is parked under that key', {
      code: 'nothing-parked',
      kind: 'missing',
      facts: { projection, key },
      hint: 'GET /projections/{name}/parked lists the keys.',
    });
  }
}

export class RebuildInProgress extends ChainfoldError {
  constructor(projection: string, generation: number) {
    super('A generation of this projection is being built already', {
      code: 'rebuild-in-progress',
      kind: 'conflict',
      facts: { projection, generation },
      hint: 'Wait until it goes live; GET /projections shows how far it is.',
    });
  }
}

export class ProjectorStopped extends ChainfoldError {
  constructor(reason: string) {
    super('The projector is not running', {
      code: 'projector-stopped',
      kind: 'unavailable',
      retryable: true,
      facts: { reason },
      hint: 'It is started again by itself, with growing pauses. Readiness tells why it stopped.',
    });
  }
}
