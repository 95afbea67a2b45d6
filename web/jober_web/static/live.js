// What happens in the fleet, as one stream for the page. An element with data-live="run. agent."
// is told (event `live`, which htmx listens to) when something of that kind has happened, and when
// the stream is there again after it was away.

const source = document.body.dataset.events
const told = document.querySelector('[data-link]')

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

function follow() {
  const stream = new EventSource(source)
  let wasAway = false
  stream.addEventListener('open', () => {
    say('live', 'live')
    if (wasAway) ring(() => true)
    wasAway = false
  })
  stream.addEventListener('error', () => {
    wasAway = true
    say('away', 'not connected')
    // A browser gives up for good where it was answered with an error: it is tried again.
    if (stream.readyState === EventSource.CLOSED) {
      setTimeout(() => { stream.close(); follow() }, 2000)
    }
  })
  const heard = event => {
    const {type, job} = JSON.parse(event.data)
    ring(kind => type.startsWith(kind) || (job !== undefined && kind === `job=${job}`))
  }
  for (const type of document.body.dataset.eventTypes.split(' ')) stream.addEventListener(type, heard)
  addEventListener('pagehide', () => stream.close(), {once: true})
}

// The stream may be there while what it tells of is not: then parts of the page cannot be had.
document.addEventListener('htmx:response:error', event => {
  if (event.detail.ctx?.response?.status === 503) say('away', 'Redis is away')
})
document.addEventListener('htmx:after:swap', () => {
  if (told?.textContent === 'Redis is away') say('live', 'live')
})

if (source && window.EventSource) follow()
