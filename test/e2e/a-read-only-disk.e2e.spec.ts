import { AnvilProcess } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, type Ended } from './stage/chainfold-process.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';
import { describeWithSmallDisk, type SmallDisk } from './stage/small-disk.ts';

describeWithSmallDisk('a disk that can not be written', 48, (mount) => {
  let disk: SmallDisk;
  let node: AnvilProcess;
  let product: ChainfoldProcess | undefined;
  const env = () => ({ DATA_DIR: disk.directory, RPC_URL: node.url, START_BLOCK: '0' });
  const refused = (): Promise<Ended> => ChainfoldProcess.launch(env()).ended;
  const expectRefusal = ({ code, stderr }: Ended): void => {
    expect({ code, stderr }).toEqual({ code: 74, stderr: expect.stringContaining('The data can not be written') });
    expect(stderr).toContain(disk.directory);
    expect(stderr).toContain('DATA_DIR');
  };

  beforeEach(async () => {
    disk = mount();
    node = await AnvilProcess.start();
    await node.mine(5, 3);
  });
  afterEach(async () => {
    await product?.kill();
    await node.stop();
    disk.unmount();
  });

  it('is refused with the way out, empty or with what a killed process left, and all is there once it can be written', async () => {
    disk.protect(true);
    expectRefusal(await refused());
    disk.protect(false);
    product = await ChainfoldProcess.start(env());
    await followed(product, node);
    await product.kill();
    disk.protect(true);
    expectRefusal(await refused());
    disk.protect(false);
    product = await ChainfoldProcess.start(env());
    await node.mine(1, 3);
    await followed(product, node);
    await expectGaplessStreams(product);
    await expectSameAsNode(product, node);
    expect(await chainfold(['verify', '--json'], env())).toMatchObject({ code: 0 });
  });
});
