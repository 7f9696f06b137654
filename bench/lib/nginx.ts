import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../interop/lib/install.ts'
import { freePort, isListening } from '../../interop/lib/ports.ts'
import { OwnedProcess } from '../../interop/lib/processes.ts'
import { waitUntil } from '../../interop/lib/wait.ts'

export const NGINX = findProgram('nginx')

/** A web server with the files of `content`: at full speed below `/full/`, at `limit` bytes a second and connection below `/limited/`. */
export async function startNginx(
  directory: string,
  content: string,
  limit: number,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  mkdirSync(directory, { recursive: true })
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join(' ')
  const config = `
    # One process, of whoever starts it: content on tmpfs is readable by its owner only.
    daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
    events { worker_connections 100; }
    http {
      access_log off; sendfile on; ${temporary}
      server {
        listen 127.0.0.1:${port};
        location /full/ { alias ${content}/; }
        location /limited/ { alias ${content}/; limit_rate ${limit}; }
      }
    }`
  const path = join(directory, 'nginx.conf')
  writeFileSync(path, config)
  const command = [NGINX ?? 'nginx', '-c', path, '-e', join(directory, 'error.log')]
  const server = OwnedProcess.start('nginx', command, { log: join(directory, 'nginx.log') })
  await waitUntil(5000, 'nginx listening', () => isListening(port), 20)
  return { url: `http://127.0.0.1:${port}`, stop: () => server.kill() }
}
