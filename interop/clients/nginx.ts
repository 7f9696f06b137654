import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort, isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil } from '../lib/wait.ts'

const PROGRAM = 'nginx'

/** nginx on 127.0.0.1 that serves a directory: below /plain/ as it is, below /moved/ by a redirection there. */
export class Nginx {
  private constructor(
    readonly port: number,
    private readonly owned: OwnedProcess,
  ) {}

  static missing(): string | null {
    return findProgram(PROGRAM) === null ? PROGRAM : null
  }

  static install(): void {
    aptInstall('nginx-light')
  }

  static async start(workDir: string, content: string): Promise<Nginx> {
    const directory = join(workDir, 'nginx')
    mkdirSync(directory)
    const port = await freePort()
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${directory}/${kind};`,
    )
    // Run by root its workers would be somebody else, who may not read what is ours.
    const userLine = process.getuid?.() === 0 ? 'user root;' : ''
    const config = `
      ${userLine} daemon off; pid ${directory}/pid; error_log ${directory}/error.log;
      events { worker_connections 100; }
      http {
        access_log ${directory}/access.log; ${temporary.join(' ')}
        server {
          listen 127.0.0.1:${port};
          location /plain/ { alias ${content}/; }
          location /moved/ { rewrite ^/moved/(.*)$ /plain/$1 permanent; }
        }
      }`
    writeFileSync(join(directory, 'nginx.conf'), config)
    const command = [
      findProgram(PROGRAM) ?? PROGRAM,
      '-c',
      join(directory, 'nginx.conf'),
      '-e',
      join(directory, 'error.log'),
    ]
    const owned = OwnedProcess.start(PROGRAM, command, { log: join(workDir, 'nginx.log') })
    const nginx = new Nginx(port, owned)
    await waitUntil(10_000, 'nginx listening', () => isListening(port), 20)
    return nginx
  }

  async stop(): Promise<void> {
    await this.owned.kill()
  }
}
