// Serves the pages, with the headers that such pages should have:
//
//     node serve.mjs [--issuer http://localhost:3000] [--port 5173]
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const TYPES = { css: 'text/css', html: 'text/html', js: 'text/javascript' };

/** Starts the server; `folder` is where the compiled scripts are. */
export async function servePages({ issuer, port, folder = new URL('built/', import.meta.url) }) {
  const policy = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", `connect-src ${new URL(issuer).origin}`,
    "base-uri 'none'", "frame-ancestors 'none'",
  ].join('; ');
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const file = pathname === '/' ? 'index.html' : pathname.slice(1);
    const known = file.match(/^(?:index\.html|style\.css|built\/(\w+\.js))$/);
    if (!known || request.method !== 'GET') return response.writeHead(404).end();
    const text = await readFile(known[1] ? new URL(known[1], folder) : new URL(file, import.meta.url), 'utf8');
    response.writeHead(200, {
      'content-type': `${TYPES[file.split('.').at(-1)]}; charset=utf-8`,
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    return response.end(file === 'index.html' ? text.replace('content="http://localhost:3000"', `content="${issuer}"`) : text);
  });
  server.listen(port, 'localhost');
  await once(server, 'listening');
  return server;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const options = { issuer: { type: 'string', default: 'http://localhost:3000' }, port: { type: 'string', default: '5173' } };
  const { values } = parseArgs({ options });
  await servePages({ issuer: values.issuer, port: Number(values.port) });
  console.log(`http://localhost:${values.port}/`);
}
