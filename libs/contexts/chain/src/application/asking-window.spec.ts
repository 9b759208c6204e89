import { AskingWindow } from './asking-window.ts';

/** A node that answers so many blocks a second, however many are asked for: by Little's law each waits for those before it. */
function askedOf(pace: number, seconds: number): AskingWindow {
  const window = new AskingWindow();
  for (let blocks = 0; blocks < pace * seconds; blocks += 8) window.came(8, Math.max(50, (window.blocks / pace) * 1_000));
  return window;
}

describe('blocks under way', () => {
  it('are what a slow node answers in five seconds', () => {
    for (const pace of [5, 40, 100]) expect(askedOf(pace, 120).blocks / pace).toBeCloseTo(5, 0);
  });

  it('are many where answers come at once', () => {
    expect(askedOf(100_000, 2).blocks).toBe(16_384);
  });

  it('become fewer when a node slows down, and more when it is quick again', () => {
    const window = askedOf(100, 60);
    for (let came = 0; came < 2_000; came += 10) window.came(10, 60_000);
    expect(window.blocks).toBe(1);
    for (let came = 0; came < 2_000; came += 10) window.came(10, 50);
    expect(window.blocks).toBeGreaterThan(64);
  });
});
