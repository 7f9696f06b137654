import type { Endpoint } from '../../packages/engine/src/address/endpoint.ts'
import { Dht } from '../../packages/engine/src/dht/dht.ts'
import type { DhtNode } from '../../packages/engine/src/dht/dhtNode.ts'
import { defaultDhtSettings } from '../../packages/engine/src/dht/dhtSettings.ts'
import { LibtorrentError } from '../../packages/engine/src/errors/libtorrentError.ts'
import { NodeRandom } from '../../packages/engine/src/node/nodeRandom.ts'
import { NodeClock, NodeTimers } from '../../packages/engine/src/node/nodeTime.ts'
import { NodeUdp } from '../../packages/engine/src/node/nodeUdp.ts'
import type { UdpSocket } from '../../packages/engine/src/platform/udp.ts'

const settings = {
  ...defaultDhtSettings,
  dhtRestrictRoutingIps: false,
  dhtRestrictSearchIps: false,
  dhtIgnoreDarkInternet: false,
  dhtPreferVerifiedNodeIds: false,
  dhtUploadRateLimit: 1_000_000,
  dhtBlockRatelimit: 10_000,
}

/** A DHT of ours on a port of its own, of 127.0.0.1 or another address of this machine. */
export class OurDht {
  private constructor(
    readonly dht: Dht,
    readonly node: DhtNode,
    readonly endpoint: Endpoint,
    private readonly socket: UdpSocket,
  ) {}

  static async start(address = '127.0.0.1'): Promise<OurDht> {
    const dht = new Dht({ clock: new NodeClock(), timers: new NodeTimers(), random: new NodeRandom(), settings })
    let node: DhtNode | null = null
    const socket = await new Promise<UdpSocket>((resolve, reject) => {
      new NodeUdp().bind(
        { address, port: 0 },
        {
          onPacket: (packet, from) => void node?.incoming(packet, from),
          onError: () => {},
        },
        (result) => (result instanceof LibtorrentError ? reject(result) : resolve(result)),
      )
    })
    node = dht.addSocket(socket)
    dht.start()
    return new OurDht(dht, node, socket.local, socket)
  }

  async stop(): Promise<void> {
    this.dht.stop()
    this.socket.close()
  }
}
