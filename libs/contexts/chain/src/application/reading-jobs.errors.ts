import { ChainfoldError } from '#platform/kernel';

/** The ticket is not (any more) this worker's: it was silent too long, its connection ended, or nobody wants the blocks. */
export class WorkLapsed extends ChainfoldError {
  constructor() {
    super('This work is not yours any more', { code: 'work-lapsed', kind: 'conflict', hint: 'Leave it; somebody else reads it, or nobody needs it.' });
  }
}

/** What a worker hands over does not belong to what it was asked for. */
export class WorkWrong extends ChainfoldError {
  constructor(rule: string) {
    super('What the worker hands over is not what it was asked for', { code: 'work-wrong', kind: 'invalid', facts: { rule } });
  }
}

/** No worker did it, for a reason that says nothing of the node: it is read elsewhere. */
export class WorkUndone extends ChainfoldError {
  constructor(reason: string) {
    super('A worker did not finish what it was given', { code: 'work-undone', kind: 'unavailable', retryable: true, facts: { reason } });
  }
}
