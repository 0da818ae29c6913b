// Every word the page itself says, both languages side by side. What people and the bot write is never here.

/** @typedef {'vi' | 'en'} Lang */
/** @typedef {keyof typeof texts} TextKey */

/** @type {Lang[]} */
export const languages = ['vi', 'en']

/** `{name}` in a text is filled by `translate`. */
export const texts = {
  'page.title': { vi: 'Học Tập Bot: thử trên máy này', en: 'Học Tập Bot: try it on this machine' },
  'page.name': { vi: 'Học Tập Bot', en: 'Học Tập Bot' },
  'page.note': { vi: 'Dữ liệu mẫu, Zalo mô phỏng', en: 'Sample data, simulated Zalo' },
  'page.phones': { vi: 'Các máy điện thoại', en: 'Phones' },
  'page.language': { vi: 'Ngôn ngữ', en: 'Language' },
  'page.account': { vi: 'Tài khoản Zalo', en: 'Zalo account' },
  'page.failed': {
    vi: 'Không nói chuyện được với máy chủ. Xem cửa sổ dòng lệnh rồi thử lại.',
    en: 'The server does not answer. Look at the terminal, then try again.',
  },
  'page.noAccount': { vi: 'Chưa có tài khoản Zalo nào được mô phỏng.', en: 'No Zalo account is simulated yet.' },
  'page.retry': { vi: 'Thử lại', en: 'Try again' },

  'add.open': { vi: 'Thêm một người', en: 'Add a person' },
  'add.title': { vi: 'Thêm một người', en: 'Add a person' },
  'add.name': { vi: 'Tên hiện trên Zalo', en: 'Name shown on Zalo' },
  'add.example': { vi: 'Ví dụ: Lò Thị Mai', en: 'For example: Lò Thị Mai' },
  'add.create': { vi: 'Thêm máy', en: 'Add phone' },
  'add.cancel': { vi: 'Thôi', en: 'Cancel' },
  'add.hint': { vi: 'Một người mới, chưa ai biết.', en: 'Someone new, whom nobody knows yet.' },

  'label.citizen': { vi: 'Người dân', en: 'Citizen' },
  'label.head': { vi: 'Chủ hộ', en: 'Head of a family' },
  'label.leader': { vi: 'Trưởng bản', en: 'Village leader' },
  'label.officer': { vi: 'Cán bộ Hội Khuyến học xã', en: 'Association officer' },
  'hint.citizen': {
    vi: 'Gõ BẮT ĐẦU để tự đánh giá. Gõ MENU để xem nói được những gì.',
    en: 'Type BẮT ĐẦU for the self-assessment. MENU tells what can be said.',
  },
  'hint.head': {
    vi: 'Gõ GIA ĐÌNH để khai cho cả nhà, LÀM HỘ để trả lời giúp người khác.',
    en: "Type GIA ĐÌNH for the family's form, LÀM HỘ to answer for someone else.",
  },
  'hint.leader': {
    vi: 'Bấm “Gửi mã mời”, rồi gõ THỐNG KÊ hoặc CHƯA LÀM.',
    en: 'Press “Get invitation”, then type THỐNG KÊ or CHƯA LÀM.',
  },
  'hint.officer': {
    vi: 'Bấm “Gửi mã mời”, rồi gõ THỐNG KÊ, THÔNG BÁO hoặc MỜI.',
    en: 'Press “Get invitation”, then type THỐNG KÊ, THÔNG BÁO or MỜI.',
  },

  'stage.hint': { vi: 'Gợi ý', en: 'Hints' },
  'stage.invite': { vi: 'Gửi mã mời', en: 'Get invitation' },
  'stage.invited': { vi: 'Mã mời đã vào ô nhập, bấm Gửi.', en: 'The code is in the typing box. Press Send.' },
  'stage.noInvite': { vi: 'Máy chủ này không cấp mã mời.', en: 'This server gives no invitations.' },
  'stage.signal': { vi: 'Mất sóng', en: 'No signal' },
  'stage.two': { vi: 'Gửi hai tin một lúc', en: 'Send two at once' },
  'stage.unread': { vi: '{count} tin chưa xem', en: '{count} unread' },

  'chat.kind': { vi: 'Tài khoản Chính thức', en: 'Official Account' },
  'chat.verified': { vi: 'Đã xác thực', en: 'Verified' },
  'chat.log': { vi: 'Tin nhắn giữa {name} và {oa}', en: 'Messages between {name} and {oa}' },
  'chat.intro': { vi: 'Hãy nhắn tin để bắt đầu trò chuyện.', en: 'Send a message to begin.' },
  'chat.older': { vi: 'Xem tin cũ hơn', en: 'Show older messages' },
  'chat.newest': { vi: 'Tới tin mới nhất', en: 'Go to the newest message' },
  'chat.offline': { vi: 'Không có kết nối mạng', en: 'No network connection' },
  'chat.follow': { vi: 'Quan tâm', en: 'Follow' },
  'chat.unfollow': { vi: 'Bỏ quan tâm', en: 'Unfollow' },
  'chat.followAsk': { vi: 'Quan tâm để nhận tin', en: 'Follow to get messages' },
  'chat.menu': { vi: 'Tùy chọn', en: 'Options' },
  'chat.you': { vi: 'Bạn', en: 'You' },
  'chat.today': { vi: 'Hôm nay', en: 'Today' },
  'chat.yesterday': { vi: 'Hôm qua', en: 'Yesterday' },
  'chat.refused': { vi: 'Zalo không nhận: {reason}', en: 'Zalo refused: {reason}' },

  'status.waiting': { vi: 'Đang chờ mạng', en: 'Waiting for signal' },
  'status.sending': { vi: 'Đang gửi', en: 'Sending' },
  'status.failed': { vi: 'Chưa gửi được. Gửi lại', en: 'Not sent. Try again' },
  'status.sent': { vi: 'Đã gửi', en: 'Sent' },
  'status.received': { vi: 'Đã nhận', en: 'Received' },
  'status.seen': { vi: 'Đã xem', en: 'Seen' },

  'type.box': { vi: 'Tin nhắn', en: 'Message' },
  'type.boxFor': { vi: 'Tin nhắn của {name}', en: 'Message from {name}' },
  'type.send': { vi: 'Gửi', en: 'Send' },
  'type.attach': { vi: 'Gửi ảnh, vị trí và thứ khác', en: 'Send a photo, a place and more' },
  'type.first': { vi: 'Tin thứ nhất', en: 'First message' },
  'type.second': { vi: 'Tin thứ hai', en: 'Second message' },
  'type.both': { vi: 'Gửi cả hai', en: 'Send both' },
  'type.name': { vi: 'Họ và tên', en: 'Name' },
  'type.phone': { vi: 'Số điện thoại', en: 'Phone number' },
  'type.close': { vi: 'Đóng', en: 'Close' },

  'attach.image': { vi: 'Ảnh', en: 'Photo' },
  'attach.location': { vi: 'Vị trí', en: 'Place' },
  'attach.sticker': { vi: 'Nhãn dán', en: 'Sticker' },
  'attach.voice': { vi: 'Tin thoại', en: 'Voice' },
  'attach.card': { vi: 'Danh thiếp', en: 'Contact' },
  'attach.file': { vi: 'Tệp', en: 'File' },
  'attach.imageName': { vi: 'giay-khen.jpg', en: 'certificate.jpg' },
  'attach.imageText': { vi: 'GIẤY KHEN', en: 'CERTIFICATE' },
  'attach.fileName': { vi: 'giay-khen.pdf', en: 'certificate.pdf' },
  'attach.place': { vi: 'Nhà văn hóa bản', en: "The village's culture house" },

  'content.image': { vi: 'Ảnh', en: 'Photo' },
  'content.imageElsewhere': { vi: 'Ảnh ở trang khác', en: 'Photo on another site' },
  'content.download': { vi: 'Tải về', en: 'Download' },
  'content.file': { vi: 'Tệp', en: 'File' },
  'content.location': { vi: 'Vị trí', en: 'Place' },
  'content.sticker': { vi: 'Nhãn dán', en: 'Sticker' },
  'content.voice': { vi: 'Tin thoại', en: 'Voice message' },
  'content.play': { vi: 'Nghe', en: 'Play' },
  'content.notPlayable': { vi: 'Trình duyệt này không phát được tin thoại.', en: 'This browser cannot play the voice message.' },
  'content.share': { vi: 'Chia sẻ thông tin', en: 'Share contact data' },
  'content.shared': { vi: 'Bạn đã chia sẻ thông tin với {oa}', en: 'You shared your contact data with {oa}' },
  'content.card': { vi: 'Danh thiếp', en: 'Contact card' },
  'content.followed': { vi: 'Bạn đã quan tâm {oa}', en: 'You follow {oa}' },
  'content.unfollowed': { vi: 'Bạn đã bỏ quan tâm {oa}', en: 'You no longer follow {oa}' },
  'content.unknown': { vi: 'Tin loại “{kind}”', en: 'A message of the kind “{kind}”' },
  'content.callTo': { vi: 'Điện thoại sẽ gọi số {number}.', en: 'The phone would call {number}.' },
  'content.smsTo': { vi: 'Điện thoại sẽ mở tin SMS tới {number}.', en: 'The phone would open an SMS to {number}.' },
}

/**
 * The text of a key in a language. Throws for a key that is not in the table: a page with a hole is never shown.
 * @param {Lang} lang
 * @param {TextKey} key
 * @param {Record<string, string | number>} [values]
 */
export function translate(lang, key, values = {}) {
  const text = texts[key]?.[lang]
  if (!text) throw new Error(`No ${lang} text for "${key}" in texts.js`)
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole))
}
