// Plays the question, then its answers, and sends a press without leaving the page, so that the next question may sound at once.
// Written for old phones: no modules, no arrow functions, nothing newer than XMLHttpRequest. Without it the page still works.
;(function () {
  var WAIT_MS = 20000
  var audio = null
  var queue = []

  function each(list, act) {
    for (var i = 0; i < list.length; i++) act(list[i])
  }

  function main() {
    return document.getElementsByTagName('main')[0]
  }

  function mark(name, on) {
    var words = (main().className || '').split(' ').filter(function (word) {
      return word && word !== name
    })
    if (on) words.push(name)
    main().className = words.join(' ')
  }

  function clearHeard() {
    each(document.querySelectorAll('.heard'), function (item) {
      item.className = item.className.replace(' heard', '')
    })
  }

  function next() {
    clearHeard()
    var item = queue.shift()
    if (!item) return mark('playing', false)
    if (item.button) item.button.className += ' heard'
    audio.src = item.src
    var started = audio.play()
    mark('playing', true)
    // The phone wants to be touched first: the big button waits
    if (started && started['catch'])
      started['catch'](function () {
        queue = []
        clearHeard()
        mark('playing', false)
      })
  }

  function play(items) {
    queue = items
    audio.pause()
    next()
  }

  function everything() {
    var items = []
    each(document.querySelectorAll('[data-sound]'), function (element) {
      if (element.getAttribute('data-aside') !== null) return
      items.push({
        src: element.getAttribute('data-sound'),
        button: /answer|line/.test(element.className) ? element : null,
      })
    })
    return items
  }

  function send(form, button) {
    var request = new XMLHttpRequest()
    var body = []
    each(form.querySelectorAll('input'), function (input) {
      body.push(encodeURIComponent(input.name) + '=' + encodeURIComponent(input.value))
    })
    body.push(encodeURIComponent(button.name) + '=' + encodeURIComponent(button.value))
    each(document.querySelectorAll('button[type=submit]'), function (item) {
      item.disabled = true
    })
    button.className += ' pressed'
    mark('offline', false)
    mark('saving', true)
    audio.pause()
    request.open('POST', form.getAttribute('action'))
    request.setRequestHeader('content-type', 'application/x-www-form-urlencoded')
    request.timeout = WAIT_MS
    request.onload = function () {
      if (request.status !== 200) return request.onerror()
      var fresh = new DOMParser().parseFromString(request.responseText, 'text/html').getElementsByTagName('main')[0]
      if (!fresh) return request.onerror()
      main().parentNode.replaceChild(document.adoptNode(fresh), main())
      window.scrollTo(0, 0)
      // Whoever goes by keyboard or screen reader begins at the new question
      main().setAttribute('tabindex', '-1')
      main().focus()
      play(everything())
    }
    request.onerror = request.ontimeout = function () {
      // Pressing again is safe: the server counts one press of a question
      each(document.querySelectorAll('button[type=submit]'), function (item) {
        item.disabled = false
      })
      button.className = button.className.replace(' pressed', '')
      mark('saving', false)
      mark('offline', true)
    }
    request.send(body.join('&'))
  }

  function buttonOf(target) {
    while (target && target.tagName !== 'BUTTON') target = target.parentNode
    return target
  }

  document.addEventListener('click', function (event) {
    var button = buttonOf(event.target)
    if (!button) return
    if (button.className.indexOf('play') >= 0) return play(everything())
    if (button.getAttribute('data-hear')) return play([{ src: button.getAttribute('data-hear') }])
    if (button.type === 'submit' && button.form && window.DOMParser && !button.disabled) {
      event.preventDefault()
      send(button.form, button)
    }
  })

  // A key with the number of an answer presses it
  document.addEventListener('keydown', function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9]$/.test(event.key || '')) return
    each(document.querySelectorAll('.answer b'), function (number) {
      var button = number.parentNode
      if (number.textContent === event.key && !button.disabled) button.click()
    })
  })

  audio = document.getElementById('sound')
  audio.onended = audio.onerror = next
  play(everything())
})()
