// The clients' web sites: plain pages on 127.0.0.1, which is another site than the issuer's `localhost`.
import { once } from 'node:events';
import { createServer } from 'node:http';

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const document = (name, body) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${name}</title><main data-page="${name}">${body}</main></html>`;

/** A page that tells what the client got, whichever way it came. */
function answerPage(by, parameters) {
  const answer = escape(JSON.stringify(Object.fromEntries(parameters)));
  return document('client', `<h1>Back at the client</h1><pre id="by">${by}</pre><pre id="answer">${answer}</pre><a href="/">Home</a>`);
}

/** A page that sends an authorization request by POST: from the client's site, as a form. */
function postPage(endpoint, parameters) {
  const fields = parameters.map(([name, value]) => `<input type="hidden" name="${name}" value="${escape(value)}">`);
  return document('client-form', `<form method="post" action="${escape(endpoint)}">${fields.join('')}<button>Go</button></form>`);
}

/** Starts a site; `onward` is where its callback `/onward` redirects to. */
export async function startSite(address, onward) {
  const held = [];
  const framed = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://${address}`);
    let body = '';
    for await (const part of request) body += part;
    response.setHeader('content-type', 'text/html; charset=utf-8');
    if (url.pathname === '/onward') {
      response.writeHead(303, { location: `${onward}/callback${url.search}` }).end();
    } else if (url.pathname.startsWith('/callback')) {
      response.end(answerPage(request.method, request.method === 'POST' ? new URLSearchParams(body) : url.searchParams));
    } else if (url.pathname === '/signed-out') {
      framed.push(Object.fromEntries(url.searchParams));
      response.end();
    } else if (url.pathname === '/hangs') {
      request.socket.setTimeout(20_000, () => request.socket.destroy());
    } else if (url.pathname === '/post') {
      response.end(postPage(...held[url.searchParams.get('form')]));
    } else {
      response.end(document('client-home', '<h1>The client</h1><p>Here you could sign in.</p>'));
    }
  });
  server.listen(0, address);
  await once(server, 'listening');
  const origin = `http://${address}:${server.address().port}`;
  /** The address of a page with a form of these parameters. */
  const form = (endpoint, parameters) => `${origin}/post?form=${held.push([endpoint, Object.entries(parameters)]) - 1}`;
  /** With what its logout page was loaded in frames. */
  const frames = () => framed;
  return { origin, form, frames, close: () => { server.close(); server.closeAllConnections(); } };
}
