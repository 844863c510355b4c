// The scripts of Unicode 18.0.0, for its letters alone. Made by Tests/Golden/preprocessing/scripts.py.

/// Runs of letters of one script: the first code point in hexadecimal and the script's name. A run goes on to the next.
let scriptRuns = """
    41 Latin; B5 Common; BA Latin; 2B9 Common; 2E0 Latin; 2EC Common; 370 Greek; 374 Common; 376 Greek; 3E2 Coptic; 3F0 Greek;
    400 Cyrillic; 531 Armenian; 5D0 Hebrew; 620 Arabic; 640 Common; 641 Arabic; 710 Syriac; 750 Arabic; 780 Thaana; 7CA Nko;
    800 Samaritan; 840 Mandaic; 860 Syriac; 870 Arabic; 904 Devanagari; 980 Bengali; A05 Gurmukhi; A85 Gujarati; B05 Oriya; B83 Tamil;
    C05 Telugu; C80 Kannada; D04 Malayalam; D85 Sinhala; E01 Thai; E81 Lao; F00 Tibetan; 1000 Myanmar; 10A0 Georgian; 1100 Hangul;
    1200 Ethiopic; 13A0 Cherokee; 1401 Canadian Aboriginal; 1681 Ogham; 16A0 Runic; 1700 Tagalog; 1720 Hanunoo; 1740 Buhid;
    1760 Tagbanwa; 1780 Khmer; 1820 Mongolian; 18B0 Canadian Aboriginal; 1900 Limbu; 1950 Tai Le; 1980 New Tai Lue; 1A00 Buginese;
    1A20 Tai Tham; 1B05 Balinese; 1B83 Sundanese; 1BC0 Batak; 1C00 Lepcha; 1C5A Ol Chiki; 1C80 Cyrillic; 1C90 Georgian; 1CE9 Common;
    1D00 Latin; 1D26 Greek; 1D2B Cyrillic; 1D2C Latin; 1D5D Greek; 1D62 Latin; 1D66 Greek; 1D6B Latin; 1D78 Cyrillic; 1D79 Latin;
    1DBF Greek; 1E00 Latin; 1F00 Greek; 2071 Latin; 208F Common; 2090 Latin; 2102 Common; 2126 Greek; 2128 Common; 212A Latin;
    212C Common; 2132 Latin; 2133 Common; 214E Latin; 2C00 Glagolitic; 2C60 Latin; 2C80 Coptic; 2D00 Georgian; 2D30 Tifinagh;
    2D80 Ethiopic; 2E2F Common; 3005 Han; 3006 Common; 303B Han; 303C Common; 3041 Hiragana; 30A1 Katakana; 30FC Common;
    30FD Katakana; 3105 Bopomofo; 3131 Hangul; 31A0 Bopomofo; 31F0 Katakana; 3400 Han; A000 Yi; A4D0 Lisu; A500 Vai; A640 Cyrillic;
    A6A0 Bamum; A717 Common; A722 Latin; A788 Common; A78B Latin; A800 Syloti Nagri; A840 Phags Pa; A882 Saurashtra; A8F2 Devanagari;
    A90A Kayah Li; A930 Rejang; A960 Hangul; A984 Javanese; A9CF Common; A9E0 Myanmar; AA00 Cham; AA60 Myanmar; AA80 Tai Viet;
    AAE0 Meetei Mayek; AB01 Ethiopic; AB30 Latin; AB65 Greek; AB66 Latin; AB70 Cherokee; ABC0 Meetei Mayek; AC00 Hangul; F900 Han;
    FB00 Latin; FB13 Armenian; FB1D Hebrew; FB50 Arabic; FF21 Latin; FF66 Katakana; FF70 Common; FF71 Katakana; FF9E Common;
    FFA0 Hangul; 10000 Linear B; 10280 Lycian; 102A0 Carian; 10300 Old Italic; 10330 Gothic; 10350 Old Permic; 10380 Ugaritic;
    103A0 Old Persian; 10400 Deseret; 10450 Shavian; 10480 Osmanya; 104B0 Osage; 10500 Elbasan; 10530 Caucasian Albanian;
    10570 Vithkuqi; 105C0 Todhri; 10600 Linear A; 10780 Latin; 10800 Cypriot; 10840 Imperial Aramaic; 10860 Palmyrene;
    10880 Nabataean; 108E0 Hatran; 10900 Phoenician; 10920 Lydian; 10940 Sidetic; 10980 Meroitic Hieroglyphs; 109A0 Meroitic Cursive;
    10A00 Kharoshthi; 10A60 Old South Arabian; 10A80 Old North Arabian; 10AC0 Manichaean; 10B00 Avestan; 10B40 Inscriptional Parthian;
    10B60 Inscriptional Pahlavi; 10B80 Psalter Pahlavi; 10C00 Old Turkic; 10C80 Old Hungarian; 10D00 Hanifi Rohingya; 10D4A Garay;
    10E80 Yezidi; 10EC2 Arabic; 10F00 Old Sogdian; 10F30 Sogdian; 10F70 Old Uyghur; 10FB0 Chorasmian; 10FE0 Elymaic; 11003 Brahmi;
    11083 Kaithi; 110D0 Sora Sompeng; 11103 Chakma; 11150 Mahajani; 11183 Sharada; 11200 Khojki; 11280 Multani; 112B0 Khudawadi;
    11305 Grantha; 11380 Tulu Tigalari; 11400 Newa; 11480 Tirhuta; 11580 Siddham; 11600 Modi; 11680 Takri; 11700 Ahom; 11800 Dogra;
    118A0 Warang Citi; 11900 Dives Akuru; 119A0 Nandinagari; 11A00 Zanabazar Square; 11A50 Soyombo; 11AB0 Canadian Aboriginal;
    11AC0 Pau Cin Hau; 11B0A Devanagari; 11BC0 Sunuwar; 11C00 Bhaiksuki; 11C72 Marchen; 11D00 Masaram Gondi; 11D60 Gunjala Gondi;
    11DB0 Tolong Siki; 11DF1 Bengali; 11EE0 Makasar; 11F02 Kawi; 11FB0 Lisu; 12000 Cuneiform; 12F90 Cypro Minoan;
    13000 Egyptian Hieroglyphs; 14400 Anatolian Hieroglyphs; 16100 Gurung Khema; 16800 Bamum; 16A40 Mro; 16A70 Tangsa;
    16AD0 Bassa Vah; 16B00 Pahawh Hmong; 16D40 Kirat Rai; 16E40 Medefaidrin; 16EA0 Beria Erfe; 16F00 Miao; 16FE0 Tangut; 16FE1 Nushu;
    16FE3 Han; 17000 Tangut; 18B00 Khitan Small Script; 18D00 Tangut; 18E00 Jurchen; 1AFF0 Katakana; 1B001 Hiragana; 1B120 Katakana;
    1B123 Hiragana; 1B124 Katakana; 1B132 Hiragana; 1B155 Katakana; 1B170 Nushu; 1BC00 Duployan; 1D400 Common; 1DF00 Latin;
    1DFF3 Greek; 1DFF5 Latin; 1E030 Cyrillic; 1E100 Nyiakeng Puachue Hmong; 1E290 Toto; 1E2C0 Wancho; 1E4D0 Nag Mundari;
    1E5D0 Ol Onal; 1E6C0 Tai Yo; 1E7E0 Ethiopic; 1E800 Mende Kikakui; 1E900 Adlam; 1EE00 Arabic; 20000 Han; 3D000 Seal;
    """
