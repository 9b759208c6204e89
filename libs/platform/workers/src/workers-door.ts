import type { AddressInfo, Server, Socket } from 'node:net';
import { Module, type DynamicModule, type INestMicroservice, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, NestFactory } from '@nestjs/core';
import { ServerTCP, type MicroserviceOptions, type TcpSocket } from '@nestjs/microservices';
import { nestLogger } from '#platform/observability';
import { FrameSocket } from './frame-socket.ts';
import { GreetingController } from './greeting.controller.ts';
import { Refusals } from './refusals.ts';
import { WORKERS_DOOR, WorkerGuard, type DoorOptions } from './worker-guard.ts';
import { WorkerSessions } from './worker-session.ts';
import { DoorUnusable } from './workers.errors.ts';

/** What is behind the door: controllers of message patterns, and what they ask for. */
export interface BehindTheDoor {
  readonly controllers: readonly Type[];
  readonly providers: readonly Provider[];
}

const MOST_CONNECTIONS = 128;
const GREETED_WITHIN_MS = 10_000;
/** A worker that lives says something every few seconds. */
const SILENT_MS = 60_000;

/** Strangers cost little: few connections, small messages, a short time to say who they are. */
class FrameServer extends ServerTCP {
  protected override init(): void {
    super.init();
    this.server.maxConnections = MOST_CONNECTIONS;
  }

  protected override getSocketInstance(socket: Socket): TcpSocket {
    const peer = new FrameSocket(socket, true);
    socket.setTimeout(SILENT_MS, () => socket.destroy());
    const ungreeted = setTimeout(() => peer.session ?? socket.destroy(), GREETED_WITHIN_MS).unref();
    socket.once('close', () => clearTimeout(ungreeted));
    return peer;
  }

  /** A connection that breaks is no news; that a worker left is told by its session. */
  protected override handleError(): void {}
}

@Module({})
class DoorModule {
  static of(options: DoorOptions, { controllers, providers }: BehindTheDoor): DynamicModule {
    return {
      module: DoorModule,
      controllers: [GreetingController, ...controllers],
      providers: [
        { provide: WORKERS_DOOR, useValue: options },
        WorkerSessions,
        { provide: APP_GUARD, useClass: WorkerGuard },
        { provide: APP_FILTER, useValue: new Refusals(options.log) },
        ...providers,
      ],
    };
  }
}

/** Where worker processes connect: a microservice of its own, so that nothing of the HTTP side applies to it, nor the other way round. */
export class WorkersDoor {
  readonly #options: DoorOptions;
  readonly #behind: BehindTheDoor;
  #service: INestMicroservice | undefined;

  constructor(options: DoorOptions, behind: BehindTheDoor) {
    this.#options = options;
    this.#behind = behind;
  }

  /** Resolves with the port. Throws `port-in-use`, `port-forbidden`, `host-unknown`. */
  async open(): Promise<number> {
    const { host, port, log } = this.#options;
    const server = new FrameServer({ host, port });
    const service = await NestFactory.createMicroservice<MicroserviceOptions>(DoorModule.of(this.#options, this.#behind), {
      strategy: server,
      logger: nestLogger(log),
      abortOnError: false,
    });
    this.#service = service;
    await new Promise<void>((listening, failed) => {
      server.unwrap<Server>().once('error', (error) => failed(new DoorUnusable({ host, port }, error)));
      service.listen().then(() => listening(), failed);
    });
    const open = (server.unwrap<Server>().address() as AddressInfo).port;
    log.info({ host, port: open }, 'workers may connect');
    return open;
  }

  async close(): Promise<void> {
    await this.#service?.close();
  }
}
