import type { Platform } from '../src/platform/platform.ts'
import { SimDisk, type SimDiskOptions } from './simDisk.ts'
import type { SimFileSystem } from './simFileSystem.ts'
import type { SimHost } from './simHost.ts'
import type { SimNames } from './simNames.ts'
import type { SimNetwork } from './simNetwork.ts'
import { simPlatform } from './simPlatform.ts'
import { SimProcess } from './simProcess.ts'
import type { SimRtc } from './simRtc.ts'
import type { SimWeb } from './simWeb.ts'

/** The parts of a world a program runs in. */
export interface ProgramSurroundings {
  readonly network: SimNetwork
  readonly names: SimNames
  readonly web: SimWeb
  readonly rtc: SimRtc
}

/** One run of a program: its platform and, once asked for, its disk. */
export class SimProgram {
  readonly process: SimProcess
  readonly platform: Platform
  private diskIo: SimDisk | null = null

  /** @param run number of this run on its host, so that each draws other chances. */
  constructor(
    surroundings: ProgramSurroundings,
    readonly host: SimHost,
    private readonly files: SimFileSystem,
    private readonly diskOptions: SimDiskOptions,
    run: number,
  ) {
    this.process = new SimProcess(surroundings.network, host)
    this.platform = simPlatform(this.process, surroundings.names, surroundings.web, surroundings.rtc, run)
  }

  /** Made when first asked for; the program must stop it like everything it opens. */
  get disk(): SimDisk {
    this.diskIo ??= new SimDisk(this.process, this.files, this.diskOptions)
    return this.diskIo
  }

  /** Ends the program as `kill -9` does. */
  kill(): void {
    this.process.kill()
  }

  /** What the program has not given back, one line for each thing; none when it was killed. */
  leftovers(): readonly string[] {
    if (!this.process.isAlive) return []
    return [...this.process.leftovers(), ...(this.diskIo?.leftovers() ?? [])]
  }
}
