import type { Platform } from '../src/platform/platform.ts'
import { SimHttp } from './simHttp.ts'
import { SimHttpStreams } from './simHttpStreams.ts'
import { SimLocalNetwork } from './simLocalNetwork.ts'
import type { SimNames } from './simNames.ts'
import type { SimProcess } from './simProcess.ts'
import { SimResolver } from './simResolver.ts'
import type { SimRtc } from './simRtc.ts'
import { SimTcp } from './simTcp.ts'
import { SimTls } from './simTls.ts'
import { SimUdp } from './simUdp.ts'
import type { SimWeb } from './simWeb.ts'
import { SimWebRtc } from './simWebRtc.ts'
import { SimXml } from './simXml.ts'

/** The world as one program on a simulated host sees it. `run` tells its runs apart, so that each draws other chances. */
export function simPlatform(process: SimProcess, names: SimNames, web: SimWeb, rtc: SimRtc, run: number): Platform {
  const resolver = new SimResolver(process, names)
  const random = process.network.random.fork(`${process.host.name}/${run}`)
  return {
    clock: process,
    timers: process,
    random,
    tcp: new SimTcp(process),
    tls: new SimTls(process),
    udp: new SimUdp(process),
    resolver,
    http: new SimHttp(process, resolver, web),
    httpStreams: new SimHttpStreams(process, resolver, web),
    localNetwork: new SimLocalNetwork(process),
    xml: new SimXml(),
    webRtc: new SimWebRtc(process, resolver, random, rtc),
  }
}
