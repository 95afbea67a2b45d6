// What happens in the fleet, as one stream for the page. An element with data-live="run. agent."
// is told (event `live`, which htmx listens to) when something of that kind has happened, and when
// the stream, or Redis behind it, is there again after it was away. The header says how it stands.

const source = document.body.dataset.events
const told = document.querySelector('[data-link]')
const patience = 2000

function say(state, words) {
  if (!told) return
  told.hidden = false
  told.dataset.state = state
  told.textContent = words
}

function ring(matches) {
  for (const element of document.querySelectorAll('[data-live]')) {
    if (element.dataset.live.split(' ').some(matches)) {
      element.dispatchEvent(new CustomEvent('live', {bubbles: false}))
    }
  }
}

// A stream does not tell why it was refused: the same is asked once more, and broken off.
async function why() {
  const asked = new AbortController()
  try {
    const {status} = await fetch(source, {signal: asked.signal})
    return {401: 'logged out', 503: 'Redis is away'}[status] ?? 'not connected'
  } catch {
    return 'not connected'
  } finally {
    asked.abort()
  }
}

function follow(wasAway) {
  const stream = new EventSource(source)
  const back = () => {
    say('live', 'live')
    if (wasAway) ring(() => true)
    wasAway = false
  }
  const away = words => {
    wasAway = true
    say('away', words)
  }
  stream.addEventListener('open', back)
  stream.addEventListener('redis', event => JSON.parse(event.data).up ? back() : away('Redis is away'))
  stream.addEventListener('error', async () => {
    // A browser gives up for good where it was answered with an error: it is tried again.
    if (stream.readyState !== EventSource.CLOSED) return away('not connected')
    const words = await why()
    away(words)
    // Who has to log in again does so on another page: that is looked for less often.
    setTimeout(() => follow(true), words === 'logged out' ? 15 * patience : patience)
  })
  const heard = event => {
    const {type, job} = JSON.parse(event.data)
    ring(kind => type.startsWith(kind) || (job !== undefined && kind === `job=${job}`))
  }
  for (const type of document.body.dataset.eventTypes.split(' ')) stream.addEventListener(type, heard)
  addEventListener('pagehide', () => stream.close(), {once: true})
}

if (source && window.EventSource) follow(false)

// A page that could not be had comes by itself as soon as it can.
if (document.querySelector('[data-again]')) {
  setInterval(async () => {
    const answer = await fetch(location.href).catch(() => null)
    if (answer && answer.status !== 503) location.reload()
  }, patience)
}
