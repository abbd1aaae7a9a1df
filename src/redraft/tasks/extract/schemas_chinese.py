"""Records and the sentences that tell of them, in Chinese; see ``schemas``."""

from redraft.tasks.extract.schemas import FieldSpec, Schema

__all__ = ["CHINESE_SCHEMAS"]

CHINESE_SCHEMAS: tuple[Schema, ...] = (
    Schema(
        "person",
        (
            FieldSpec("名字", "person", ("名字", "姓名"), "name"),
            FieldSpec("年龄", "int:18:90", ("年龄", "岁数"), "age"),
            FieldSpec("城市", "city", ("城市", "住在"), "city"),
            FieldSpec("工作", "job", ("工作", "职业"), "job"),
            FieldSpec("结婚", "bool", ("结婚了",), "married"),
        ),
        (
            "这个人叫{名字}。",
            "{名字}今年{年龄}岁。",
            "{名字}住在{城市}。",
            "{名字}的工作是{工作}。",
            "{名字}在{城市}，{年龄}岁。",
            "{名字}{结婚?已经|还没有}结婚。",
        ),
    ),
    Schema(
        "order",
        (
            FieldSpec("东西", "item", ("东西", "商品"), "item"),
            FieldSpec("数量", "int:3:60", ("数量", "多少"), "quantity"),
            FieldSpec("价格", "price", ("价格", "多少钱"), "price"),
            FieldSpec("日期", "date", ("日期", "哪天"), "date"),
            FieldSpec("已付", "bool", ("付钱了",), "paid"),
        ),
        (
            "有人要买{东西}。",
            "要{数量}个{东西}。",
            "{东西}的价格是{价格}。",
            "{东西}是{日期}买的。",
            "{日期}买了{数量}个{东西}。",
            "{东西}{已付?已经付钱了|还没有付钱}。",
        ),
    ),
    Schema(
        "meeting",
        (
            FieldSpec("内容", "topic", ("内容", "主题"), "topic"),
            FieldSpec("日期", "date", ("日期", "哪天"), "date"),
            FieldSpec("时间", "time", ("时间", "几点"), "time"),
            FieldSpec("地方", "room", ("地方", "在哪里"), "place"),
            FieldSpec("人", "names", ("人", "谁来"), "people"),
        ),
        (
            "会的内容是{内容}。",
            "{日期}开会，说{内容}。",
            "{内容}的会{时间}开。",
            "{内容}的会在{地方}开。",
            "{人}来开{内容}的会。",
            "{日期}{时间}在{地方}说{内容}。",
        ),
    ),
    Schema(
        "book",
        (
            FieldSpec("书名", "title", ("书名", "书"), "title"),
            FieldSpec("作者", "person", ("作者", "谁写的"), "author"),
            FieldSpec("年", "int:1900:2025", ("年", "哪年出的"), "year"),
            FieldSpec("页数", "int:80:900", ("页数", "多少页"), "pages"),
            FieldSpec("可借", "bool", ("可以借",), "available"),
        ),
        (
            "这本书叫《{书名}》。",
            "《{书名}》是{作者}写的。",
            "《{书名}》是{年}年出的。",
            "《{书名}》有{页数}页。",
            "{作者}在{年}年写了《{书名}》。",
            "《{书名}》现在{可借?可以|不可以}借。",
        ),
    ),
    Schema(
        "trip",
        (
            FieldSpec("到", "city", ("到", "去哪里"), "to"),
            FieldSpec("从", "city", ("从", "哪里出发"), "from"),
            FieldSpec("日期", "date", ("日期", "哪天"), "date"),
            FieldSpec("时间", "time", ("时间", "几点开"), "time"),
            FieldSpec("人数", "int:3:30", ("人数", "几个人"), "people"),
        ),
        (
            "我们去{到}。",
            "车从{从}到{到}。",
            "去{到}的车{时间}开。",
            "{日期}去{到}。",
            "{人数}个人去{到}。",
            "{日期}从{从}去{到}，一共{人数}个人。",
        ),
    ),
)
"""All of them."""
