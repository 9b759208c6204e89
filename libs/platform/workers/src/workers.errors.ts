import { ChainfoldError, messageOf } from '#platform/kernel';

/** The owner can not be asked now, or its answer was lost: what was asked may have been done. */
export class OwnerUnreachable extends ChainfoldError {
  constructor(reason: string) {
    super('The process that owns the data directory does not answer', {
      code: 'owner-unreachable',
      kind: 'unavailable',
      retryable: true,
      facts: { reason },
      hint: 'Check that it runs with WORKERS_PORT and that OWNER is its address; it is asked again by itself.',
    });
  }
}

export class OwnerUnknown extends ChainfoldError {
  constructor() {
    super('A worker needs to know whom it works for', { code: 'settings-incomplete', kind: 'invalid', hint: 'Set OWNER=host:port (workers.connect) to where the owner listens for workers.' });
  }
}

export class WorkerTokenWrong extends ChainfoldError {
  constructor(given: 'none' | 'another') {
    super(given === 'none' ? 'The owner wants a token and none was shown' : 'The token is not the one of the owner', {
      code: 'worker-token-wrong',
      kind: 'forbidden',
      hint: 'Give both sides the same WORKERS_TOKEN (or WORKERS_TOKEN_FILE).',
    });
  }
}

/** Every connection begins with a greeting. */
export class GreetingMissing extends ChainfoldError {
  constructor() {
    super('This connection was not greeted yet', { code: 'worker-greeting-missing', kind: 'conflict', retryable: true, hint: 'Say hello.v1 first.' });
  }
}

export class WorkerVersionDiffers extends ChainfoldError {
  constructor(owner: string, worker: string) {
    super(`The worker runs version ${worker}, the owner ${owner}`, { code: 'worker-version-differs', kind: 'conflict', facts: { owner, worker }, hint: 'Run the same version on both sides.' });
  }
}

export class WorkerSettingsDiffer extends ChainfoldError {
  constructor(differing: readonly string[]) {
    super(`The worker's settings differ from the owner's in ${differing.join(', ')}`, {
      code: 'worker-settings-differ',
      kind: 'conflict',
      facts: { differing },
      hint: 'Start both with the same config files and environment, secrets included.',
    });
  }
}

export class MessageInvalid extends ChainfoldError {
  constructor(where: string, rule: string) {
    super('A message can not be read', { code: 'worker-message-invalid', kind: 'invalid', facts: { where, rule }, hint: 'Run the same version on both sides.' });
  }
}

export class DoorUnusable extends ChainfoldError {
  constructor(at: { readonly host: string; readonly port: number }, cause: unknown) {
    const { code } = cause as NodeJS.ErrnoException;
    const taken = code === 'EADDRINUSE';
    super(taken ? `Port ${at.port} for workers is in use` : `Workers can not be listened to: ${messageOf(cause)}`, {
      code: taken ? 'port-in-use' : code === 'EACCES' ? 'port-forbidden' : 'host-unknown',
      kind: 'unavailable',
      facts: { ...at },
      hint: 'Set WORKERS_PORT to another number (0 picks a free one) and WORKERS_HOST to an address of this machine.',
    });
  }
}
