import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';

const ofLinux = process.platform === 'linux' ? describe : describe.skip;

ofLinux(process.platform === 'linux' ? 'a thread that gives way to requests' : 'a thread that gives way to requests (not run: Linux alone has priorities of threads)', () => {
  it('stands behind the others of its process, which stay as they are', async () => {
    const before = getPriority();
    const code = `import { parentPort } from 'node:worker_threads';
      import { getPriority } from 'node:os';
      import { giveWayToRequests } from ${JSON.stringify(new URL('./background-thread.ts', import.meta.url).href)};
      giveWayToRequests();
      parentPort.postMessage(getPriority());`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    const own = await new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
    expect(own).toBe(Math.min(19, before + 5));
    expect(getPriority()).toBe(before);
  });
});
