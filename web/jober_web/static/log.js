// The log of a run, of any size: some pages of it are there at a time, each of so many bytes of the
// log; scrolling to either end brings the next and lets the furthest go. While it is followed, the
// stream of the run rings, and what is new is read from the last byte that is there: so nothing is
// missing and nothing twice, whatever was away meanwhile.

const card = document.querySelector('#log')
if (card) start()

function start() {
  const box = card.querySelector('.rows')
  const follow = card.querySelector('[data-follow]')
  const told = card.querySelector('[data-told]')
  const slider = card.querySelector('input[type=range]')
  const search = card.querySelector('[data-find]')
  const most = 12
  const near = 600
  let isFollowed = false
  let isOver = card.dataset.isFinal === '1'
  let size = 0
  let reading = null
  let again = false
  let sliding = 0

  const pages = () => [...box.querySelectorAll('.page')]
  const first = () => pages()[0]
  const last = () => pages().at(-1)
  const number = (page, name) => Number(page.dataset[name])

  function say(words) {
    told.textContent = words
    told.hidden = !words
  }

  function human(bytes) {
    let unit = 0
    while (bytes >= 1024 && unit < 4) { bytes /= 1024; unit++ }
    return `${bytes >= 10 || !unit ? bytes.toFixed(0) : bytes.toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`
  }

  function noted(page) {
    size = Math.max(size, number(page, 'size'))
    card.querySelector('[data-size]').textContent = human(size)
    if (size) box.querySelector('[data-empty]')?.remove()
  }

  async function ask(query) {
    const response = await fetch(`${card.dataset.log}?${new URLSearchParams(query)}`, {headers: {'HX-Request': 'true'}})
    if (!response.ok) throw new Error(`${response.status}`)
    const holder = document.createElement('template')
    holder.innerHTML = await response.text()
    return holder.content.querySelector('.page')
  }

  // One question at a time: what is asked for meanwhile is asked after it.
  async function alone(work) {
    while (reading) await reading
    let done
    reading = new Promise(resolve => { done = resolve })
    try {
      return await work()
    } finally {
      reading = null
      done()
    }
  }

  function isAtEnd() {
    return box.scrollHeight - box.scrollTop - box.clientHeight < 40
  }

  function place() {
    if (sliding) return
    const top = box.getBoundingClientRect().top
    const row = [...box.querySelectorAll('.row')].find(one => one.getBoundingClientRect().bottom > top)
    const at = isAtEnd() && last() && number(last(), 'end') >= size ? size : Number(row?.dataset.at ?? 0)
    slider.value = size ? Math.round(1000 * at / size) : 1000
  }

  function append(page) {
    const from = number(page, 'start')
    const before = last()
    if (before && number(before, 'end') > from) {
      // Its last row may have gone on.
      for (const row of [...before.querySelectorAll('.row')].reverse()) {
        if (Number(row.dataset.at) < from) break
        row.remove()
      }
    }
    if (before && before.textContent.length < 32768 && before.querySelectorAll('.row').length < 400) {
      before.append(...page.querySelectorAll('.row'))
      before.dataset.end = page.dataset.end
      before.dataset.next = page.dataset.next
    } else {
      box.append(page)
    }
    while (pages().length > most) {
      const gone = first()
      const height = gone.offsetHeight
      gone.remove()
      box.scrollTop -= height
    }
  }

  async function later() {
    return alone(async () => {
      const end = last()
      if (!end) return false
      const page = await ask({after: end.dataset.next})
      noted(page)
      const isNew = page.querySelector('.row') !== null
      if (isNew) append(page)
      return isNew && number(page, 'end') < number(page, 'size')
    })
  }

  async function earlier() {
    return alone(async () => {
      const begin = first()
      if (!begin || !number(begin, 'start')) return
      const page = await ask({before: begin.dataset.start})
      noted(page)
      const height = box.scrollHeight
      begin.before(page)
      box.scrollTop += box.scrollHeight - height
      while (pages().length > most) last().remove()
    })
  }

  async function show(query, after) {
    setFollowed(false)
    return alone(async () => {
      const page = await ask(query)
      size = 0
      noted(page)
      box.replaceChildren(page)
      after?.(page)
      place()
      return page
    })
  }

  async function toEnd() {
    const page = await show({}, () => { box.scrollTop = box.scrollHeight })
    return page
  }

  // What is new, from the last byte that is there.
  async function grow() {
    if (again) return
    again = true
    await new Promise(resolve => setTimeout(resolve, 60))
    again = false
    try {
      if (!isFollowed) {
        const page = await ask({after: Math.max(0, size)})
        noted(page)
        return
      }
      while (await later()) { if (isFollowed) box.scrollTop = box.scrollHeight }
      if (isFollowed) box.scrollTop = box.scrollHeight
      say('')
      place()
    } catch {
      say('The log cannot be read just now; it goes on as soon as it can.')
      setTimeout(grow, 1500)
    }
  }

  function setFollowed(is) {
    isFollowed = is
    follow.setAttribute('aria-pressed', is)
    follow.textContent = is ? 'Pause' : 'Follow'
  }

  let scrolled = 0
  box.addEventListener('scroll', () => {
    if (scrolled) return
    scrolled = requestAnimationFrame(() => {
      scrolled = 0
      if (isFollowed && !isAtEnd()) setFollowed(false)
      if (box.scrollTop < near) earlier().catch(() => {})
      if (box.scrollHeight - box.scrollTop - box.clientHeight < near && last() && number(last(), 'end') < size) later().catch(() => {})
      place()
    })
  })

  follow.addEventListener('click', async () => {
    if (isFollowed) return setFollowed(false)
    if (!last() || number(last(), 'end') < size) await toEnd()
    setFollowed(true)
    grow()
  })
  card.querySelector('[data-first]').addEventListener('click', () => show({after: 0}, () => { box.scrollTop = 0 }))
  card.querySelector('[data-last]').addEventListener('click', toEnd)
  slider.addEventListener('input', () => {
    clearTimeout(sliding)
    sliding = setTimeout(async () => {
      const at = Math.floor(size * slider.value / 1000)
      await (Number(slider.value) === 1000 ? toEnd() : show({at}, page => {
        const row = [...page.querySelectorAll('.row')].find(one => Number(one.dataset.at) >= at)
        box.scrollTop = row ? row.offsetTop - box.offsetTop : 0
      }))
      sliding = 0
    }, 120)
  })

  async function find(isBack) {
    const q = search.elements.q.value
    if (!q) return
    const hit = box.querySelector('.row.hit')
    const top = box.getBoundingClientRect().top
    const row = hit ?? [...box.querySelectorAll('.row')].find(one => one.getBoundingClientRect().bottom > top)
    const at = Number(row?.dataset.at ?? 0)
    const query = isBack ? {q, before: at} : {q, after: hit ? at + 1 : 0}
    if (told.dataset.searched && told.dataset.q === q && !isBack) query.after = told.dataset.searched
    const page = await show(query, found => {
      const found_row = found.querySelector('.hit')
      if (found_row) box.scrollTop = found_row.offsetTop - box.offsetTop - box.clientHeight / 3
    })
    say(page.dataset.told ?? '')
    told.dataset.searched = page.dataset.searched ?? ''
    told.dataset.q = q
  }
  search.addEventListener('submit', event => {
    event.preventDefault()
    find(false)
  })
  card.querySelector('[data-back]').addEventListener('click', () => find(true))

  // Now it is alive: what was for reading without a script goes.
  card.querySelectorAll('[data-noscript]').forEach(one => one.remove())
  card.querySelectorAll('[data-places], [data-follow], [data-back]').forEach(one => { one.hidden = false })
  box.classList.add('is-live')
  noted(first())
  const hit = box.querySelector('.hit') ?? (location.hash.startsWith('#b') ? document.getElementById(location.hash.slice(1)) : null)
  if (hit) {
    hit.classList.add('hit')
    box.scrollTop = hit.offsetTop - box.offsetTop - box.clientHeight / 3
  } else if (card.dataset.isTail === '1') {
    box.scrollTop = box.scrollHeight
  }
  if (!isOver && card.dataset.isTail === '1') setFollowed(true)
  place()

  function listen() {
    const stream = new EventSource(card.dataset.stream)
    const ring = () => grow()
    for (const type of ['open', 'frame', 'truncated']) stream.addEventListener(type, ring)
    const bell = document.querySelector('#run-head')
    stream.addEventListener('progress', () => bell.dispatchEvent(new CustomEvent('live')))
    stream.addEventListener('end', () => {
      isOver = true
      stream.close()
      grow()
      bell.dispatchEvent(new CustomEvent('ended'))
    })
    stream.addEventListener('error', () => {
      // It was refused, as while Redis is away: a new one begins anew, and rings as it opens.
      if (stream.readyState === EventSource.CLOSED && !isOver) setTimeout(listen, 2000)
    })
    addEventListener('pagehide', () => stream.close(), {once: true})
  }
  if (!isOver) listen()
}
