import type { Platform } from '../platform/platform.ts'
import { NodeHttp } from './nodeHttp.ts'
import { NodeHttpStreams } from './nodeHttpStreams.ts'
import { NodeLocalNetwork } from './nodeLocalNetwork.ts'
import { NodeRandom } from './nodeRandom.ts'
import { NodeResolver } from './nodeResolver.ts'
import { NodeTcp } from './nodeTcp.ts'
import { NodeClock, NodeTimers } from './nodeTime.ts'
import { NodeTls } from './nodeTls.ts'
import { NodeUdp } from './nodeUdp.ts'
import { NodeWebRtc } from './nodeWebRtc.ts'
import { NodeXml } from './nodeXml.ts'

/** A burst of one fast uTP peer; the system gives less where it allows less. */
const UDP_BUFFER_BYTES = 4 << 20

/** The real world, as Node gives it. */
export function nodePlatform(): Platform {
  return {
    clock: new NodeClock(),
    timers: new NodeTimers(),
    random: new NodeRandom(),
    tcp: new NodeTcp(),
    tls: new NodeTls(),
    udp: new NodeUdp(UDP_BUFFER_BYTES),
    resolver: new NodeResolver(),
    http: new NodeHttp(),
    httpStreams: new NodeHttpStreams(),
    localNetwork: new NodeLocalNetwork(),
    xml: new NodeXml(),
    webRtc: new NodeWebRtc(),
  }
}
