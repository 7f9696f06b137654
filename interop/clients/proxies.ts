import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Requirement } from '../cases/interopCase.ts'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort, isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil } from '../lib/wait.ts'

export const LOGIN = 'alice:s3cret'

interface ProxyKind {
  readonly program: string
  readonly debianPackage: string
  /** Command line, when the configuration is in `file`. */
  command(program: string, port: number, file: string): readonly string[]
  /** Contents of the configuration file. */
  configuration?(port: number, directory: string): string
}

/** Other people's proxies: SOCKS5 with a login; SOCKS 4 and 5 with UDP; HTTP with a login. */
export const PROXIES = {
  microsocks: {
    program: 'microsocks',
    debianPackage: 'microsocks',
    command: (program, port) => {
      const [user, password] = LOGIN.split(':')
      return [program, '-i', '127.0.0.1', '-p', String(port), '-u', user ?? '', '-P', password ?? '']
    },
  },
  dante: {
    program: 'danted',
    debianPackage: 'dante-server',
    command: (program, _port, file) => [program, '-f', file, '-p', `${file}.pid`],
    configuration: (port) => `logoutput: stderr
internal: 127.0.0.1 port = ${port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass {
  from: 0.0.0.0/0 to: 0.0.0.0/0
  command: connect udpassociate
  log: connect error
}
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 command: udpreply }
`,
  },
  tinyproxy: {
    program: 'tinyproxy',
    debianPackage: 'tinyproxy-bin',
    command: (program, _port, file) => [program, '-d', '-c', file],
    configuration: (port) => `Port ${port}
Listen 127.0.0.1
Timeout 60
LogLevel Connect
MaxClients 50
BasicAuth ${LOGIN.replace(':', ' ')}
`,
  },
} as const satisfies Record<string, ProxyKind>
export type ProxyName = keyof typeof PROXIES

export function proxyRequirement(name: ProxyName): Requirement {
  const { program, debianPackage } = PROXIES[name]
  return {
    name,
    missing: async () => (findProgram(program) === null ? program : null),
    install: async () => aptInstall(debianPackage),
  }
}

/** A proxy on 127.0.0.1. */
export class ProxyProgram {
  private constructor(
    readonly port: number,
    private readonly owned: OwnedProcess,
  ) {}

  static async start(name: ProxyName, workDir: string): Promise<ProxyProgram> {
    const kind: ProxyKind = PROXIES[name]
    const port = await freePort()
    const file = join(workDir, `${name}.conf`)
    if (kind.configuration !== undefined) writeFileSync(file, kind.configuration(port, workDir))
    const command = kind.command(findProgram(kind.program) ?? kind.program, port, file)
    const proxy = new ProxyProgram(port, OwnedProcess.start(name, command, { log: join(workDir, `${name}.log`) }))
    await waitUntil(5000, `${name} listening`, () => isListening(port), 20)
    return proxy
  }

  /** What it says it has done. */
  get log(): string {
    return this.owned.logTail(1000)
  }

  async stop(): Promise<void> {
    await this.owned.end('SIGTERM', 1000)
  }
}
